import {counted} from '../../common/words';
import {conceptColours} from '../../plots/palette';
import {numberText} from '../../plots/labels';
import type {DiscoveredConcepts} from '../../split/discover';
import {ROW, type ShowOptions} from './options';
import {thumbnailGrid} from './thumbnails';
import {table, words, type View} from './view';

/** Clusters of what a channel answers to: how many there may be, and with images the exemplars of each. */
export async function discoveredView(found: DiscoveredConcepts, {images, ...options}: ShowOptions): Promise<View> {
  const {channel, layer, concepts, silhouettes, fires, of} = found;
  const colours = conceptColours(concepts.length);
  const view: View = [
    words(
      `channel ${channel} of layer ${layer} fires in ${counted(fires, 'image')} of ${of}: ${counted(concepts.length, 'cluster')} of what it reads there`,
      'Clusters say what is alike, not that there are several meanings: a channel with one meaning falls into clusters too.',
    ),
  ];
  if (images) {
    const rows = concepts.map(({size, exemplars}, j) => ({
      label: `cluster ${j + 1}`,
      note: counted(size, 'image'),
      images: exemplars.slice(0, options.count ?? ROW).map(({index, path, value, position: [row, column]}) => ({
        index,
        hint: `${path} · ${numberText(value)} at row ${row}, column ${column}`,
        frame: colours[j],
      })),
    }));
    view.push(await thumbnailGrid('images from the strongest down', rows, images, options));
  }
  view.push(
    table(
      ['clusters', {title: 'silhouette', hint: 'mean over the images, −1 to 1', format: numberText}],
      silhouettes.map(({count, silhouette}) => [count, silhouette]),
      {caption: 'how clear each number of clusters is'},
    ),
  );
  return view;
}
