import {fractionText, intervalText, numberText, percentText, spreadText} from '../../common/numbers';
import {namedClasses} from '../../common/words';
import {
  verdictsOf,
  type ConceptEvaluation,
  type Fractions,
  type PartOutcome,
  type PartVerdict,
  type SplitEvaluation,
} from '../../evaluate';
import type {Summary} from '../../numerics/summary';
import {fractionBars} from '../../plots';
import {nameText} from '../../plots/labels';
import {folded, table, words, type View} from './view';

/** Rows from which the table is folded: the figure above it says the same. */
const LONG = 8;

/** Whether the parts are separated, then what they and the residue carry of the original, each beside random splits. */
export function evaluationView(evaluation: SplitEvaluation): View {
  const {layer, channel, rule, tau, images, concepts, top1, randomSplits, warnings} = evaluation;
  const percent = (share: number) => percentText(share, 1);
  const verdicts = verdictsOf(evaluation);
  const rows = rowsOf(concepts, randomSplits);
  const fractions = table(COLUMNS, rows, {
    limit: 100,
    caption:
      'fraction of the original: mean ± deviation over the images [95 % interval of the mean]' +
      (randomSplits > 0 ? `; random: mean and central 95 % of ${randomSplits} random splits of the same sizes` : ''),
  });
  return [
    words(headingOf(verdicts), ...verdicts.map(({sentence}) => sentence)),
    words(
      `what the parts of channel ${channel} of ${layer} carry (rule ${rule})`,
      `${images} images of the concepts, τ = ${numberText(tau)}; top-1 ${percent(top1.before)} before, ${percent(top1.after)} after`,
      ...warnings.map((warning) => `warning: ${warning}`),
    ),
    {figure: fractionBars(evaluation)},
    rows.length > LONG ? folded('the numbers, by three definitions of a fraction', fractions) : fractions,
  ];
}

function headingOf(verdicts: readonly PartVerdict[]): string {
  const count = (outcome: PartOutcome) => verdicts.filter((verdict) => verdict.outcome === outcome).length;
  const [all, apart, undecided] = [verdicts.length, count('separated'), count('undecided')];
  if (count('no control') > 0) return 'What the parts carry, without a control';
  if (apart === all) return `${all === 2 ? 'Both' : `All ${all}`} parts are separated`;
  return `${apart} of ${all} parts are separated${undecided > 0 ? `; ${undecided} undecided` : ''}`;
}

const COLUMNS = [
  {title: 'images of'},
  {title: 'channel'},
  {title: 'published', hint: 'mean of Σ part / Σ original, signed sums'},
  {title: 'positive', hint: 'mean of Σ relu(part) / Σ relu(original)'},
  {title: 'ratio of sums', hint: 'Σ relu(part) / Σ relu(original) over all images'},
  {title: 'AUROC', hint: 'how well the channel tells these images from the other concepts’: 0.5 is chance'},
];

/** Three definitions of each fraction; the residue only where it is anything for anyone. */
function rowsOf(concepts: readonly ConceptEvaluation[], randomSplits: number): string[][] {
  const anyResidue = concepts.some(({published, positive, ratioOfSums}) =>
    [published, positive, ratioOfSums].some(({summary, random}) =>
      [summary.residue.mean, ...(randomSplits > 0 ? [random.residue.mean] : [])].some(
        (mean) => Number.isFinite(mean) && mean !== 0,
      ),
    ),
  );
  return concepts.flatMap((concept, own) => {
    const {published, positive, ratioOfSums, auroc, classes, classNames} = concept;
    const definitions = [published, positive, ratioOfSums];
    const part = (name: string, of: (from: Fractions['summary']) => Summary, area?: number, random?: Summary) => [
      [
        '',
        name,
        ...definitions.map(({summary}) => spreadText(of(summary))),
        area === undefined ? '' : fractionText(area),
      ],
      ...(randomSplits > 0
        ? [
            [
              '',
              '– random',
              ...definitions.map((one) => intervalText(of(one.random))),
              random ? intervalText(random) : '',
            ],
          ]
        : []),
    ];
    const counts = definitions.map((one) => `${one.images} of ${concept.images} images`);
    const name = namedClasses({classes, classNames: classNames.map(nameText)});
    return [
      [name, 'original', ...counts, fractionText(auroc.original)],
      ...concepts.flatMap((_, j) =>
        part(`d${j + 1}${j === own ? ' (own)' : ''}`, ({parts}) => parts[j], auroc.parts[j], auroc.random[j]),
      ),
      ...(anyResidue ? part('residue', ({residue}) => residue) : []),
    ];
  });
}
