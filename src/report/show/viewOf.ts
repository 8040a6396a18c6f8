import type {BackendChoice} from '../../engine';
import type {PolysemanticityByDepth} from '../../concepts/depth';
import type {Concept, PolysemanticChannel, PolysemanticChannels} from '../../concepts/types';
import type {ActivationMaps, Densities, SplitAblation, SplitEvaluation, SplitTopImages} from '../../evaluate';
import type {PlantedBenchmark} from '../../planted/types';
import type {FeatureVisualization, SplitVisualization} from '../../features';
import type {LabelledImages} from '../../images/types';
import type {Model} from '../../network/types';
import type {RelevanceStatistics} from '../../numerics/statistics';
import type {SuggestedThresholds} from '../../concepts/thresholds';
import type {SplitScores} from '../../evaluate/scoreSplit';
import type {AttributionComparison} from '../../pass/attribution';
import type {DiscoveredConcepts} from '../../split/discover';
import type {Split} from '../../split/types';
import type {SplitProof} from '../../split/verify';
import {
  describe,
  drawingBundle,
  imageBundle,
  isBundle,
  isHtml,
  isPlotlyFigure,
  isVegaLite,
  plotlyBundle,
  textBundle,
  toBundle,
  type ImageType,
} from '../display';
import {suggestionView} from './suggested';
import {comparisonView} from './comparison';
import {scoresView} from './scores';
import {depthView} from './depth';
import {channelsView, channelView, conceptView} from './found';
import {imagesView, modelView, statisticsView} from './network';
import type {ShowOptions} from './options';
import {activationMapsView, featureView, splitFeaturesView} from './pictures';
import type {PaperReproduction} from '../paper/reproduce';
import {paperView} from './paper';
import {plantedView} from './planted';
import {discoveredView} from './discovered';
import {evaluationView} from './evaluation';
import {ablationView, densitiesView, proofView, splitView} from './splitViews';
import type {Teaser} from './teaser';
import {topImagesView} from './topImages';
import {words, type View} from './view';

type Maker<T> = (value: T, options: ShowOptions) => View | Promise<View>;

/** Results that say what they are. */
interface Kinds {
  'relevance statistics': RelevanceStatistics;
  'polysemantic channels': PolysemanticChannels;
  'suggested thresholds': SuggestedThresholds;
  'attribution comparison': AttributionComparison;
  'split scores': SplitScores;
  'discovered concepts': DiscoveredConcepts;
  'polysemanticity by depth': PolysemanticityByDepth;
  split: Split;
  'split proof': SplitProof;
  'split evaluation': SplitEvaluation;
  densities: Densities;
  'split ablation': SplitAblation;
  'top images': SplitTopImages;
  'activation maps': ActivationMaps;
  feature: FeatureVisualization;
  'split-features': SplitVisualization;
  'planted benchmark': PlantedBenchmark;
  'paper reproduction': PaperReproduction;
  drawing: Teaser;
}

const MAKERS: {[K in keyof Kinds]: Maker<Kinds[K]>} = {
  'relevance statistics': statisticsView,
  'polysemantic channels': channelsView,
  'suggested thresholds': suggestionView,
  'attribution comparison': comparisonView,
  'split scores': scoresView,
  'discovered concepts': discoveredView,
  'polysemanticity by depth': depthView,
  split: splitView,
  'split proof': proofView,
  'split evaluation': evaluationView,
  densities: densitiesView,
  'split ablation': ablationView,
  'top images': topImagesView,
  'activation maps': activationMapsView,
  feature: featureView,
  'split-features': splitFeaturesView,
  'planted benchmark': plantedView,
  'paper reproduction': paperView,
  drawing: async (drawing) => [{bundle: await drawingBundle(drawing), draw: () => drawing}],
};

/** Results of one list that are shown together. */
const TOGETHER = 12;

/** What is shown of anything: a result's own pieces, a figure, a picture, otherwise text. A promise only where pictures are read. */
export function viewOf(value: unknown, options: ShowOptions = {}): View | Promise<View> {
  const make = recognised(value);
  if (make) return make(value, options);
  if (isList(value)) return listView(value, options);
  return [{bundle: textBundle(describe(value))}];
}

/** What makes the view of a value that `show` knows. */
export function recognised(value: unknown): Maker<unknown> | undefined {
  try {
    return makerOf(value) ?? displayableOf(value);
  } catch {
    return undefined; // Its fields throw: it is no result of ours.
  }
}

function makerOf(value: unknown): Maker<unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const {kind} = value as {kind?: unknown};
  if (typeof kind === 'string' && Object.hasOwn(MAKERS, kind)) return MAKERS[kind as keyof Kinds] as Maker<unknown>;
  const has = (...names: string[]) => names.every((name) => name in value);
  if (has('graph', 'layers', 'logits')) return (model) => modelView(model as Model);
  if (has('paths', 'pixels', 'labelsFor')) return (images, options) => imagesView(images as LabelledImages, options);
  if (has('channel', 'concepts', 'pairs', 'lowestCosine'))
    return (found, options) => channelView(found as PolysemanticChannel, options);
  if (has('classes', 'classNames', 'arv')) return (concept) => conceptView(concept as Concept);
  if (has('name', 'version', 'reason')) return (choice) => [words(String(choice as BackendChoice))];
  return undefined;
}

function displayableOf(value: unknown): Maker<unknown> | undefined {
  if (isVegaLite(value)) return () => [{figure: value}];
  if (isHtml(value) || isBundle(value)) return () => [{bundle: toBundle(value)}];
  if (isPlotlyFigure(value)) return () => [{bundle: plotlyBundle(value)}];
  const type = value instanceof Uint8Array ? pictureType(value) : undefined;
  if (type) return () => [{bundle: imageBundle(value as Uint8Array, {alt: 'picture', type})}];
  return undefined;
}

/** The format of a picture file's bytes. */
function pictureType(bytes: Uint8Array): ImageType | undefined {
  const starts = (...head: number[]) => head.every((byte, i) => bytes[i] === byte);
  if (starts(0x89, 0x50, 0x4e, 0x47)) return 'image/png';
  return starts(0xff, 0xd8, 0xff) ? 'image/jpeg' : undefined;
}

/** Results, figures and markup in a list, which are shown together. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => recognised(one) !== undefined);
}

async function listView(values: readonly unknown[], options: ShowOptions): Promise<View> {
  const views: View[] = [];
  for (const value of values.slice(0, TOGETHER)) views.push(await viewOf(value, options));
  const more = values.length > TOGETHER ? [words(`… and ${values.length - TOGETHER} more`)] : [];
  return [...views.flat(), ...more];
}
