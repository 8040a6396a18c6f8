import {samePreset} from '../images/presetFor';
import {DEFAULT_ATTRIBUTION, type RelevanceStatistics} from '../numerics/statistics';

/** What a run is about: two runs with the same subject add up to one. */
export type Subject = Pick<RelevanceStatistics, 'model' | 'layer' | 'classes' | 'preset' | 'attribution'> & {
  images: Pick<RelevanceStatistics['images'], 'listHash' | 'shards' | 'check'>;
  floor: number;
  topCount: number;
  /** Names of the further collectors. */
  collected: readonly string[];
};

export function subjectOf(stats: RelevanceStatistics): Subject {
  const {model, layer, classes, preset, attribution, images, shares, top, collected = {}} = stats;
  return {
    model,
    layer,
    classes,
    preset,
    attribution,
    images,
    floor: shares.floor,
    topCount: top.count,
    collected: Object.keys(collected).sort(),
  };
}

/**
 * What differs between two subjects, each with the value of the second in words; none for the same run.
 * @param lists compare which images they are about too
 */
export function differences(mine: Subject, theirs: Subject, {lists}: {lists: boolean}): string[] {
  const found: string[] = [];
  const compare = (what: string, one: unknown, other: unknown) => {
    if (JSON.stringify(one) !== JSON.stringify(other)) found.push(what);
  };
  compare(`model (${theirs.model.name})`, mine.model.hash, theirs.model.hash);
  compare(`layer (${theirs.layer.name})`, mine.layer.name, theirs.layer.name);
  if (found.length === 0) compare('shape of the layer', mine.layer.shape, theirs.layer.shape);
  compare(`classes (${theirs.classes})`, mine.classes, theirs.classes);
  if (lists) {
    compare('image list', mine.images.listHash, theirs.images.listHash);
    compare(`shard (${shardText(theirs.images.shards)})`, mine.images.shards, theirs.images.shards);
  }
  if (!samePreset(mine.preset, theirs.preset)) found.push(`preset (${theirs.preset.name})`);
  const attribution = ({attribution: name = DEFAULT_ATTRIBUTION}: Subject) => name;
  compare(`attribution (${attribution(theirs)})`, attribution(mine), attribution(theirs));
  compare(`floor (${theirs.floor})`, mine.floor, theirs.floor);
  compare(`top count (${theirs.topCount})`, mine.topCount, theirs.topCount);
  compare(
    `what else is collected (${theirs.collected.join(', ') || 'nothing'})`,
    [...mine.collected].sort(),
    [...theirs.collected].sort(),
  );
  return found;
}

export function shardText(shards: RelevanceStatistics['images']['shards']): string {
  return shards ? `${shards.indices.join(', ')} of ${shards.count}` : 'all images';
}
