import {suggestThresholds} from '../../src/concepts/thresholds';
import {findPolysemantic, makeConcept} from '../../src/concepts/find';
import {
  ablationBars,
  candidateScatter,
  cosineHistogram,
  densityPlot,
  depthBars,
  fractionBars,
  partWeights,
  plantedBars,
  relevanceMap,
  rhoSweep,
  shareDistributions,
  similarityHeatmap,
  sourcesPlot,
  stabilityScatter,
  tripleDots,
  type Figure,
} from '../../src/plots';
import {syntheticGates} from '../reference/syntheticGates';
import {
  HOSTILE_NAMES,
  exampleStatistics,
  exampleSplit,
  exampleDepth,
  exampleSummary,
  exampleEvaluation,
  exampleDensities,
  exampleSignedDensities,
  exampleTriples,
  exampleAblation,
  examplePlanted,
  largeStatistics,
} from './examples';

/** Every picture that is kept in `snapshots`, by name. */
export function snapshotFigures(): Record<string, Figure> {
  const stats = exampleStatistics();
  const thresholds = {tau: 0.05, p: 0.5, gamma: 0.6};
  const found = findPolysemantic(stats, thresholds);
  const hostile = exampleStatistics(HOSTILE_NAMES);
  const gated = syntheticGates({seed: 6, noise: 0.8}).stats;
  const gatedFound = findPolysemantic(gated, {tau: 0.05, p: 0.5, gamma: 0.3});
  const large = largeStatistics();
  const many = findPolysemantic(large, {tau: 0.03, p: 0.5});
  const nothing = findPolysemantic(stats, {tau: 1, p: 1});
  const zero = {...stats, inputSums: new Float64Array(stats.inputSums.length)};
  const single = {...exampleSplit(), concepts: [makeConcept(stats, 0, [0])]};
  const undefinedMeans = exampleEvaluation(['flag', 'checker']);
  for (const concept of undefinedMeans.concepts) {
    for (const of of [...concept.positive.summary.parts, concept.positive.summary.residue]) of.mean = NaN;
    concept.positive.random = {parts: [], residue: exampleSummary(NaN, NaN)};
  }
  return {
    similarity: similarityHeatmap(stats, found[0], {gamma: thresholds.gamma}),
    'similarity-gated': similarityHeatmap(gated, gatedFound[0], {gamma: 0.3}),
    'candidates-gated': candidateScatter(gatedFound, {classNames: gated.classNames}),
    'cosines-gated': cosineHistogram(gatedFound),
    'similarity-names': similarityHeatmap(hostile, 3),
    'similarity-large': similarityHeatmap(large, 31),
    'similarity-zero': similarityHeatmap(zero, 0, {gamma: 0.5}),
    'similarity-single': similarityHeatmap(stats, 0, {classes: [2]}),
    candidates: candidateScatter(found, {classNames: stats.classNames}),
    'candidates-large': candidateScatter(many, {classNames: large.classNames, limit: 400}),
    'candidates-none': candidateScatter(nothing),
    cosines: cosineHistogram(found),
    'cosines-none': cosineHistogram(nothing),
    stability: stabilityScatter(suggestThresholds(gated, {tau: 0.05, p: 0.5}), {classNames: gated.classNames}),
    'stability-none': stabilityScatter({gamma: 0.5, arv: 'gated', stability: NaN, calls: []}),
    relevance: relevanceMap(stats, thresholds),
    'relevance-large': relevanceMap(large, {tau: 0.03, p: 0.5}),
    'relevance-none': relevanceMap(stats, {tau: 1}),
    shares: shareDistributions(stats, {tau: 0.05, p: 0.5}),
    'shares-large': shareDistributions(large),
    sources: sourcesPlot(exampleSplit(2)),
    'sources-three': sourcesPlot(exampleSplit(3)),
    'sources-soft': sourcesPlot(exampleSplit(2, {soft: true})),
    'sources-four': sourcesPlot(exampleSplit(4)),
    'sources-names': sourcesPlot(exampleSplit(2, {names: HOSTILE_NAMES})),
    'sources-single': sourcesPlot(single),
    rho: rhoSweep(exampleSplit()),
    'rho-given': rhoSweep({...exampleSplit(), rho: {rho: 0.5, scores: [], zeroDenominators: 0}}),
    densities: densityPlot(exampleDensities()),
    'densities-paper': densityPlot(exampleSignedDensities()),
    triples: tripleDots(exampleTriples(), {layer: 'layer4.2.conv3'}),
    'triples-none': tripleDots([]),
    'densities-names': densityPlot(exampleDensities(HOSTILE_NAMES.slice(0, 2))),
    'densities-none': densityPlot({layer: 'conv5', channel: 7, rows: [], curves: []}),
    fractions: fractionBars(exampleEvaluation()),
    'fractions-two': fractionBars(exampleEvaluation(['flag', 'checker'], 0), {definition: 'published'}),
    'fractions-names': fractionBars(exampleEvaluation(HOSTILE_NAMES.slice(0, 3))),
    'fractions-undefined': fractionBars(undefinedMeans),
    ablation: ablationBars(exampleAblation()),
    'ablation-names': ablationBars(exampleAblation(5, HOSTILE_NAMES)),
    'ablation-none': ablationBars({...exampleAblation(), classes: []}),
    weights: partWeights(
      ['published', 'energyMatch'].map((rule) => ({
        ...exampleSplit(2, {soft: rule !== 'published'}),
        rule,
        residue: Float32Array.from(exampleSplit().original, (weight) => 0.3 * weight),
      })),
    ),
    'weights-none': partWeights([]),
    depth: depthBars(exampleDepth()),
    'depth-none': depthBars({...exampleDepth(), layers: exampleDepth().layers.map((one) => ({...one, relevant: 0}))}),
    planted: plantedBars(examplePlanted()),
    'planted-none': plantedBars({...examplePlanted(), tiers: []}),
  };
}
