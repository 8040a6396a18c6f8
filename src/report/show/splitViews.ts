import {ablationNotes, type AblationEffect, type Densities, type SplitAblation} from '../../evaluate';
import {counted, namedClass} from '../../common/words';
import {fractionText, intervalText, numberText, percentText, signedText} from '../../common/numbers';
import {ablationBars, densityPlot, rhoSweep, sourcesPlot} from '../../plots';
import {conceptLabel, conceptLabels} from '../../plots/labels';
import {describeSplit} from '../../split/split';
import type {Split} from '../../split/types';
import {whyNotExact, type SplitProof} from '../../split/verify';
import type {ShowOptions} from './options';
import {rewiring} from './rewiring';
import {withTopImages} from './topImages';
import {folded, table, words, type Block, type View} from './view';

/** Rows from which a table is folded, where a figure says the same. */
const LONG = 8;

/** A split: who owns which sources and how ρ was chosen; with images, those that excite the channel and its parts most. */
export function splitView(split: Split, options: ShowOptions = {}): View | Promise<View> {
  const view = dividedView(split);
  return options.images ? withTopImages(view, split, options.images, options) : view;
}

function dividedView(split: Split): View {
  const {concepts, sources, ownership, parts, residue, original, kernelShape} = split;
  const [title, ...lines] = describeSplit(split).split('\n');
  const notes = lines.map((line) => line.trim()).filter((line) => !/^part \d/.test(line));
  const size = (kernel: Float32Array) => kernel.reduce((sum, weight) => sum + Math.abs(weight), 0);
  const whole = size(original);
  const rows = [
    ...concepts.map((concept, j) => [
      `d${j + 1}`,
      conceptLabel(concept, 4),
      ownership && sources[j].length > 0 ? `${sources[j].length} of ${kernelShape[2]}` : '–',
      percentText(size(parts[j]) / whole),
    ]),
    ['residue', 'what all share', '–', percentText(size(residue) / whole)],
  ];
  const columns = [
    'part',
    'concept',
    {title: 'sources of its own', align: 'right' as const},
    {title: 'Σ|weight| of the original', align: 'right' as const, hint: 'a shared source counts in every part'},
  ];
  return [
    words(title, ...notes),
    rewiring(split),
    table(columns, rows),
    {figure: sourcesPlot(split)},
    ...(split.rho && split.rho.scores.length > 0 ? [{figure: rhoSweep(split)}] : []),
  ];
}

/** The proof that nothing changed, with its verdict first. */
export function proofView(proof: SplitProof): View {
  const {images, maxAbsLogitDifference, maxAbsLogit, top1, top1Agreement, exact, changed, unexplained, warnings} =
    proof;
  const percent = (share: number) => percentText(share, 1);
  const rows = [
    ['largest difference of a logit', numberText(maxAbsLogitDifference)],
    ['largest logit', numberText(maxAbsLogit)],
    ['top-1 before', percent(top1.before)],
    ['top-1 after', percent(top1.after)],
    ['images with the same top-1 class', percent(top1Agreement)],
    ['changed predictions, and those beyond rounding', `${changed}, ${unexplained}`],
  ];
  const verdict = exact
    ? 'The network computes the same after the split'
    : `${proof.misfits.length > 0 ? 'This is NOT proven' : 'The network does NOT compute the same after the split'}: ${whyNotExact(proof)}`;
  return [
    words(
      verdict,
      `full passes through both networks, on ${counted(images, 'image')}`,
      ...warnings.map((warning) => `warning: ${warning}`),
    ),
    table(['', {title: '', align: 'right'}], rows),
  ];
}

export function densitiesView(densities: Densities): View {
  const rows = densities.curves.map(({channel, concept, activations, mean, zeroShare}) => [
    channel,
    concept,
    activations.length,
    mean,
    percentText(zeroShare),
  ]);
  const columns = [
    'channel',
    'images of',
    'images',
    {title: 'mean', hint: 'summed activation'},
    {title: 'silent', align: 'right' as const, hint: 'images whose activation is 0'},
  ];
  const all = table(columns, rows, {limit: 40});
  return [
    {figure: densityPlot(densities)},
    rows.length > LONG ? folded('the numbers, of every channel and concept', all) : all,
  ];
}

/** What removing one concept costs whom. */
export function ablationView(ablation: SplitAblation): View {
  const {channel, layer, images, classes, concepts, randomSplits} = ablation;
  const labels = conceptLabels(concepts);
  const rows = concepts.map(({zeroed, own, other, random}, j) => [
    labels[j],
    zeroed,
    intervalText(own),
    intervalText(other),
    randomSplits > 0 ? intervalText(random.own) : '–',
    randomSplits > 0 ? intervalText(random.other) : '–',
  ]);
  const columns = [
    'concept removed',
    {title: 'whole channel', hint: 'mean change of its own images’ logit when the whole channel is removed'},
    {title: 'own classes', hint: 'share of that change when this concept alone is removed'},
    {title: 'other concepts', hint: 'the same for the other concepts’ images'},
    {title: 'random: own', hint: 'random parts of the same sizes, central 95 %'},
    {title: 'random: other'},
  ];
  return [
    words(
      `what removing a concept of channel ${channel} of ${layer} costs`,
      `${counted(images, 'image')} of ${classes.length} classes; as a share of what removing the whole channel costs a class’s own logit`,
      ...ablationNotes(ablation),
    ),
    table(columns, rows),
    {figure: ablationBars(ablation)},
    ablatedClasses(ablation),
  ];
}

/** Every class: its logit and top-1 before, and how they change. */
function ablatedClasses({classes, concepts}: SplitAblation): Block {
  const labels = conceptLabels(concepts);
  const change = ({logit, accuracy}: AblationEffect) =>
    `${signedText(logit)} (${signedText(Math.round(100 * accuracy))} %)`;
  const rows = [...classes]
    .sort(
      (a, b) =>
        Number(a.concept < 0) - Number(b.concept < 0) ||
        a.concept - b.concept ||
        Math.abs(b.zeroed.logit) - Math.abs(a.zeroed.logit),
    )
    .map(({class: k, className, images, concept, before, zeroed, removed}) => [
      namedClass(k, className || `class ${k}`),
      images,
      concept < 0 ? '' : labels[concept],
      `${fractionText(before.logit)} (${percentText(before.accuracy)})`,
      ...[zeroed, ...removed].map(change),
    ]);
  const right = (title: string) => ({title, align: 'right' as const});
  const columns = [
    'class',
    'images',
    'concept',
    right('before'),
    right('no channel'),
    ...labels.map((label) => right(`no ${label}`)),
  ];
  const all = table(columns, rows, {
    caption:
      'mean logit of the own class (top-1) before, and how both change: classes of the concepts, then those that need the channel most',
    limit: 40,
  });
  return rows.length > LONG ? folded(`the numbers, of ${counted(rows.length, 'class', 'classes')}`, all) : all;
}
