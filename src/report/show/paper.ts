import {intervalText, numberText, percentText} from '../../common/numbers';
import {tripleDots, densityPlot} from '../../plots';
import {folded, table, words, type Block, type View} from './view';
import type {PooledFractions} from '../paper/pooled';
import {HALF_PRECISION_TOLERANCE, PUBLISHED_TRIPLES, PUBLISHED_WEIGHTS} from '../paper/published';
import type {PaperReproduction} from '../paper/reproduce';

const NOT_RUN = 'not run';
const right = (title: string, hint?: string) => ({title, align: 'right' as const, hint});

/** “Theirs, ours, difference”: every number that the paper or its code publishes, and says where it was not run. */
export function agreementTable({published, comparison, thresholds}: PaperReproduction): Block {
  const {found, both, precision, recall, cosine} = comparison;
  const ours = (text: string) => (published ? text : NOT_RUN);
  const difference = cosine.ours === undefined ? NaN : cosine.ours - cosine.theirs;
  const rows = [
    [
      'pairs of relevant classes with 0 ≤ cosine < γ',
      String(PUBLISHED_TRIPLES.length),
      ours(String(found)),
      ours(String(found - PUBLISHED_TRIPLES.length)),
    ],
    [
      'pairs in both lists',
      String(PUBLISHED_TRIPLES.length),
      ours(String(both)),
      ours(String(both - PUBLISHED_TRIPLES.length)),
    ],
    ['precision, recall', '–', ours(`${percentText(precision)}, ${percentText(recall)}`), '–'],
    [
      'cosine of channel 522, classes 62 and 687',
      cosine.theirs.toFixed(4),
      ours(cosine.ours?.toFixed(4) ?? 'not relevant to both'),
      ours(
        Number.isFinite(difference)
          ? `${difference.toFixed(4)} (half precision allows ±${HALF_PRECISION_TOLERANCE.toFixed(4)})`
          : '–',
      ),
    ],
  ];
  return table(['', right('theirs'), right('ours'), right('difference')], rows, {
    caption: published
      ? `τ = ${numberText(thresholds.tau)}, p = ${numberText(thresholds.p)}, γ = ${numberText(thresholds.gamma)}`
      : `not run: this needs torchvision's ResNet-50 with the weights ${PUBLISHED_WEIGHTS.name} (${PUBLISHED_WEIGHTS.file}; V2 are another network, with other channels) and ImageNet`,
  });
}

/** The paper's result: 2 × 3 numbers, at the chosen and at the fixed ρ. */
export function pooledTable({pooled, triples}: PaperReproduction): Block {
  const rowsOf = (name: string, fractions: readonly PooledFractions[]) =>
    fractions.map(({concept, d1, d2, residue}) => [
      name,
      `class ${concept} of its triple`,
      d1.count,
      intervalText(d1),
      intervalText(d2),
      intervalText(residue),
    ]);
  return table(
    ['ρ', 'images of', right('images'), right('d1'), right('d2'), right('residue')],
    [...rowsOf('chosen for each', pooled.best), ...rowsOf(`fixed at ${numberText(pooled.rho)}`, pooled.fixed)],
    {caption: `mean of Σ part / Σ original over all kept images of ${triples.length} triples, with its 95 % interval`},
  );
}

/** The dot plot, and the table behind it, folded. */
function rowBlocks({rows, left, layer, stats}: PaperReproduction): View {
  const name = ({classes, concept}: (typeof rows)[number]) => stats.classNames[classes[concept]];
  const dots = rows.map((row) => {
    const {summary, random} = row.evaluation.published;
    return {
      channel: row.channel,
      className: name(row),
      own: summary.parts[row.concept],
      other: summary.parts[1 - row.concept],
      random: random.parts[row.concept],
    };
  });
  const columns = [
    'channel',
    right('ρ'),
    'images of',
    right('images'),
    right('own part'),
    right('other part'),
    right('residue'),
    right('random: own'),
    right('random: other'),
  ];
  const cells = rows.map((row) => {
    const {images, summary, random} = row.evaluation.published;
    const other = 1 - row.concept;
    return [
      row.channel,
      row.rho ?? '–',
      name(row),
      images,
      intervalText(summary.parts[row.concept]),
      intervalText(summary.parts[other]),
      intervalText(summary.residue),
      intervalText(random.parts[row.concept]),
      intervalText(random.parts[other]),
    ];
  });
  const gone = left.map(
    ({channel, classes, reason}) =>
      `channel ${channel} (${classes.map((k) => stats.classNames[k]).join(' and ')}) has no row: ${reason}`,
  );
  return [
    {figure: tripleDots(dots, {layer})},
    folded(`the ${cells.length} rows as a table`, table(columns, cells, {limit: 60})),
    ...(gone.length > 0 ? [words('Left out', ...gone)] : []),
  ];
}

function listTable({triples}: PaperReproduction): Block {
  const rows = triples.map(({channel, classes, classNames, cosine}) => [
    channel,
    ...classes.map((k, j) => `${classNames[j]} (${k})`),
    Number.isNaN(cosine) ? 'not relevant to both' : cosine.toFixed(4),
  ]);
  return table(['channel', 'class', 'and class', right('cosine')], rows);
}

/** Everything in the order of the paper, with its figure numbers. */
export function paperSections(
  paper: PaperReproduction,
): {heading: string; text: string[]; view: View; content: unknown[]}[] {
  const {teaser, published, layer, model, top1} = paper;
  const names = teaser.split.concepts.map(({classNames}) => classNames.join(' + ')).join(' and ');
  return [
    {
      heading: 'Theirs, ours, difference',
      text: [`${model}, layer ${layer}; top-1 ${percentText(top1.share)} on ${top1.images} images`],
      view: [agreementTable(paper)],
      content: [],
    },
    {
      heading: `${published ? 'The published list' : 'The pairs with the lowest cosines'}`,
      text: [],
      view: [listTable(paper)],
      content: [],
    },
    {
      heading: `Figure 1: channel ${teaser.split.channel}, ${names}`,
      text: [
        'What excites the channel most, and what excites each of its parts, on images that neither the sources nor ρ were found on.',
      ],
      view: [],
      content: [teaser.top, teaser.proof],
    },
    {
      heading: 'Figure 2: summed activation of the original and its parts',
      text: [
        'Signed sums over the positions, a panel a concept: on each concept’s images its own part follows the original, the other stays near 0.',
      ],
      view: [{figure: densityPlot(teaser.densities)}],
      content: [],
    },
    {
      heading: 'Table 1: what the parts carry, over all triples',
      text: ['Where a denominator is near 0, single images dominate a mean of ratios: the intervals show it.'],
      view: [pooledTable(paper), ...rowBlocks(paper)],
      content: [],
    },
  ];
}

/** What a cell shows. */
export function paperView(paper: PaperReproduction): View {
  return paperSections(paper).flatMap(({heading, text, view}) =>
    view.length > 0 ? [words(heading, ...text), ...view] : [],
  );
}
