import type {RelevanceStatistics} from './statistics';

/** An image of the statistics, and the share of its relevance that a channel has. */
export interface RelevantImage {
  /** Position in `images.paths`. */
  image: number;
  share: number;
}

/**
 * The images with the highest share of a channel among those of each class.
 * @param wanted channels, each with the classes to look at
 * @param each how many images of a class at most
 * @returns lists by channel and class, in the order of `wanted`, the highest share first; images below the floor of the statistics are in none
 */
export function mostRelevantImages(
  {shares, images}: Pick<RelevanceStatistics, 'shares' | 'images'>,
  wanted: readonly {channel: number; classes: readonly number[]}[],
  each: number,
): RelevantImage[][][] {
  const lists = wanted.map(({classes}) => classes.map((): RelevantImage[] => []));
  const rowOf = new Map(wanted.map(({channel}, row) => [channel, row]));
  const positions = wanted.map(({classes}) => new Map(classes.map((k, position) => [k, position])));
  for (let image = 0; image + 1 < shares.offsets.length; image++) {
    for (let entry = shares.offsets[image]; entry < shares.offsets[image + 1]; entry++) {
      const row = rowOf.get(shares.channels[entry]);
      const position = row === undefined ? undefined : positions[row].get(images.labels[image]);
      if (row === undefined || position === undefined) continue;
      const list = lists[row][position];
      const share = shares.values[entry];
      if (list.length === each && share <= list[each - 1].share) continue;
      const at = list.findIndex((other) => share > other.share);
      list.splice(at < 0 ? list.length : at, 0, {image, share});
      if (list.length > each) list.pop();
    }
  }
  return lists;
}
