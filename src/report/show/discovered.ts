import {numberText, percentText} from '../../common/numbers';
import {conceptColours} from '../../plots/palette';
import {CAUTION, type DiscoveredConcepts} from '../../split/discover';
import type {ShowOptions} from './options';
import {thumbnailGrid} from './thumbnails';
import {table, words, type View} from './view';

/** Sources that a cluster's row names. */
const SOURCES = 5;

/** What a channel answers to without labels: its clusters, the sources that feed each, the numbers of clusters that were tried, and exemplars. */
export async function discoveredView(discovered: DiscoveredConcepts, options: ShowOptions): Promise<View> {
  const {layer, channel, fires, of, concepts, silhouettes} = discovered;
  const clustered = concepts.reduce((sum, {size}) => sum + size, 0);
  const rows = concepts.map(({size, contribution}, j) => [
    j + 1,
    size,
    percentText(size / clustered),
    Array.from(contribution.keys())
      .sort((a, b) => contribution[b] - contribution[a])
      .slice(0, SOURCES)
      .map((i) => `${i} (${numberText(contribution[i])})`)
      .join(', '),
  ]);
  const right = (title: string, hint?: string) => ({title, hint, align: 'right' as const});
  const columns = [
    'cluster',
    'images',
    right('share'),
    {title: 'strongest sources (mean contribution)', hint: 'at the position where the channel is strongest'},
  ];
  const view: View = [
    words(
      `what channel ${channel} of layer ${layer} responds to, without labels: ${concepts.length} clusters`,
      `it fires in ${fires} of ${of} images; its strongest position in each of ${clustered} of them is clustered by what feeds the channel there`,
      ...(concepts.length > 1 ? [CAUTION] : []),
    ),
    table(columns, rows),
  ];
  if (silhouettes.length > 1) {
    const tried = silhouettes.map(({count, silhouette}) => [count, silhouette]);
    view.push(
      table(['clusters', {title: 'silhouette', hint: 'how far clusters are apart; the highest is taken'}], tried, {
        caption: 'numbers of clusters that were tried',
      }),
    );
  }
  if (options.images && concepts.length > 0) {
    const colours = conceptColours(concepts.map(() => ({})));
    const grid = concepts.map(({size, exemplars}, j) => ({
      label: `cluster ${j + 1}`,
      note: `${size} images, strongest first`,
      images: exemplars.map(({index, path, value}) => ({
        index,
        hint: `${path} · ${numberText(value)} above the threshold`,
        frame: colours[j],
      })),
    }));
    view.push(await thumbnailGrid('examples, from strong to weak responses', grid, options.images, options));
  }
  return view;
}
