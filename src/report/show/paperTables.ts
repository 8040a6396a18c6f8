import {fractionText, intervalText, numberText, percentText} from '../../common/numbers';
import {namedClass} from '../../common/words';
import {tripleDots} from '../../plots';
import {classLabel} from '../../plots/labels';
import {folded, table, words, type Block, type View} from './view';
import type {PooledFractions} from '../paper/pooled';
import {HALF_PRECISION_TOLERANCE, PUBLISHED_TRIPLES} from '../paper/published';
import type {PaperReproduction} from '../paper/reproduce';

const NOT_RUN = 'not run';
const right = (title: string, hint?: string) => ({title, align: 'right' as const, hint});
/** A whole number that may be negative, without a sign for 0. */
const change = (count: number) => (count > 0 ? `+${count}` : numberText(count));

/** “Theirs, ours, difference”: every number that the paper or its code publishes; says where it was not run. */
export function agreementTable({published, comparison, thresholds, teaser}: PaperReproduction): Block {
  const {found, both, precision, recall, cosine} = comparison;
  const theirs = PUBLISHED_TRIPLES.length;
  const {lowest, gamma, tau, p} = thresholds;
  const share = (part: number, of: number, value: number) =>
    `${part} of ${of}${of > 0 ? ` (${percentText(value)})` : ''}`;
  const rows: [string, string, string, string][] = [
    [
      `pairs of relevant classes with ${numberText(lowest)} ≤ cosine < ${numberText(gamma)}`,
      String(theirs),
      String(found),
      change(found - theirs),
    ],
    ['recall: published pairs that are found', '–', share(both, theirs, recall), change(both - theirs)],
    ['precision: found pairs that are published', '–', share(both, found, precision), change(both - found)],
    ['cosine of channel 522, classes 62 and 687', String(cosine.theirs), ...cosineCells(cosine)],
    [
      'largest change of a logit after the split',
      'below 0.001, on one random input',
      `${numberText(teaser.proof.maxAbsLogitDifference)}, on ${teaser.proof.images} images`,
      '–',
    ],
  ];
  return table(
    ['', right('theirs'), right('ours'), right('difference')],
    rows.map(([what, their, our, difference]) => [
      what,
      their,
      published ? our : NOT_RUN,
      published ? difference : NOT_RUN,
    ]),
    {caption: `τ = ${numberText(tau)}, p = ${numberText(p)}, γ = ${numberText(gamma)}`},
  );
}

function cosineCells({theirs, ours}: PaperReproduction['comparison']['cosine']): [string, string] {
  if (ours === undefined) return ['not relevant to both', '–'];
  const difference = ours - theirs;
  const within = Math.abs(difference) <= HALF_PRECISION_TOLERANCE + HALF_LAST_DIGIT;
  const sign = difference < 0 ? '−' : '+';
  return [
    ours.toFixed(4),
    `${sign}${Math.abs(difference).toFixed(4)}: ${within ? 'within' : 'beyond'} ±${HALF_PRECISION_TOLERANCE.toFixed(4)}, which their half-precision files allow`,
  ];
}

/** What the published cosine's four digits leave open. */
const HALF_LAST_DIGIT = 0.00005;

/** The triples with our cosines, and below them, folded, what was found that was not published. */
export function listBlocks({triples, comparison, thresholds, published, stats}: PaperReproduction): View {
  const {lowest, gamma} = thresholds;
  const named = (k: number) => namedClass(k, stats.classNames[k] || `class ${k}`);
  const rows = triples.map(({channel, classes, cosine}) => [
    String(channel),
    ...classes.map(named),
    Number.isNaN(cosine) ? 'not relevant to both' : fractionDigits(cosine),
    cosine >= lowest && cosine < gamma ? 'yes' : 'no',
  ]);
  const list = table([right('channel'), 'class', 'and class', right('our cosine'), right('found')], rows);
  const added = comparison.added.map(({channel, classes}) => [String(channel), ...classes.map(named)]);
  return [
    list,
    ...(published && added.length > 0
      ? [
          folded(
            `${added.length} found that are not published`,
            table([right('channel'), 'class', 'and class'], added, {limit: 200}),
          ),
        ]
      : []),
  ];
}

/** As many digits as the published cosine has. */
const fractionDigits = (cosine: number) => cosine.toFixed(4).replace('-', '−');

/** The paper's result: 2 × 3 numbers, at the chosen and at the fixed ρ. */
export function pooledTable({pooled, triples, left, thresholds}: PaperReproduction): Block {
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
    {
      caption: `mean of Σ part / Σ original over all images with a share of at least ${numberText(thresholds.important)}, of ${triples.length - left.length} triples, with its 95 % interval`,
    },
  );
}

/** The dot plot, and the table behind it, folded. */
export function rowBlocks({rows, left, layer, stats}: PaperReproduction): View {
  const name = ({classes, concept}: (typeof rows)[number]) =>
    classLabel(classes[concept], stats.classNames[classes[concept]]);
  const dots = rows.map((row) => {
    const {summary, random} = row.evaluation.published;
    return {
      channel: row.channel,
      className: name(row),
      otherName: name({...row, concept: 1 - row.concept}),
      own: summary.parts[row.concept],
      other: summary.parts[1 - row.concept],
      random: random.parts[row.concept],
    };
  });
  const columns = [
    right('channel'),
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
      String(row.channel),
      row.rho === undefined ? '–' : fractionText(row.rho),
      name(row),
      images,
      intervalText(summary.parts[row.concept]),
      intervalText(summary.parts[other]),
      intervalText(summary.residue),
      intervalText(random.parts[row.concept]),
      intervalText(random.parts[other]),
    ];
  });
  const gone = left.map(({channel, classes, reason}) => [
    String(channel),
    classes.map((k) => stats.classNames[k]).join(' and '),
    reason,
  ]);
  const why = table([right('channel'), 'classes', 'why'], gone);
  return [
    ...(rows.length > 0
      ? [
          {figure: tripleDots(dots, {layer})},
          folded(`the ${cells.length} rows as a table`, table(columns, cells, {limit: 60})),
        ]
      : [words('', 'No triple has a row: the channels matter too little for these images.')]),
    ...(gone.length > 0 ? [folded(`${gone.length} triples without a row, and why`, why)] : []),
  ];
}
