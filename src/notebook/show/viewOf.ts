import type {BackendChoice} from '../../backend';
import type {Concept, PolysemanticChannel, PolysemanticChannels} from '../../concepts/types';
import type {ActivationMaps, Densities, SplitAblation, SplitEvaluation, SplitTopImages} from '../../evaluate';
import type {PlantedBenchmark} from '../../evaluate/planted/types';
import type {FeatureVisualization, SplitVisualization} from '../../features';
import type {LabelledImages} from '../../images/types';
import type {Model} from '../../models/types';
import type {RelevanceStatistics} from '../../numerics/statistics';
import type {Split} from '../../split/types';
import type {SplitProof} from '../../split/verify';
import {isBundle, isHtml, isPlotlyFigure, isVegaLite, plotlyBundle, textBundle, toBundle} from '../display';
import {channelsView, channelView, conceptView} from './found';
import {imagesView, modelView, statisticsView} from './network';
import type {ShowOptions} from './options';
import {activationMapsView, featureView, splitFeaturesView} from './pictures';
import {plantedView} from './planted';
import {ablationView, densitiesView, evaluationView, proofView, splitView, topImagesView} from './splitViews';
import {words, type View} from './view';

type Maker<T> = (value: T, options: ShowOptions) => View | Promise<View>;

/** Results that say what they are. */
interface Kinds {
  'relevance statistics': RelevanceStatistics;
  'polysemantic channels': PolysemanticChannels;
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
}

const MAKERS: {[K in keyof Kinds]: Maker<Kinds[K]>} = {
  'relevance statistics': statisticsView,
  'polysemantic channels': channelsView,
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
};

/** Results of one list that are shown together. */
const TOGETHER = 12;

/** What is shown of anything: a result's own pieces, a figure, otherwise text. A promise only where pictures are read. */
export function viewOf(value: unknown, options: ShowOptions = {}): View | Promise<View> {
  const make = makerOf(value);
  if (make) return make(value, options);
  if (isVegaLite(value)) return [{figure: value}];
  if (isHtml(value)) return [{bundle: toBundle(value)}];
  if (isBundle(value)) return [{bundle: value}];
  if (isPlotlyFigure(value)) return [{bundle: plotlyBundle(value)}];
  if (isList(value)) return listView(value, options);
  return [{bundle: fallback(value)}];
}

/** Whether `show` knows what this is. */
export function isKnown(value: unknown): boolean {
  return makerOf(value) !== undefined || isVegaLite(value) || isHtml(value) || isBundle(value) || isPlotlyFigure(value);
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

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && value.every(isKnown);
}

async function listView(values: readonly unknown[], options: ShowOptions): Promise<View> {
  const views: View[] = [];
  for (const value of values.slice(0, TOGETHER)) views.push(await viewOf(value, options));
  const more = values.length > TOGETHER ? [words(`… and ${values.length - TOGETHER} more`)] : [];
  return [...views.flat(), ...more];
}

/** An object that says by itself what it is, is shown so; another by its fields. */
function fallback(value: unknown) {
  const own = typeof value === 'object' && value !== null && value.toString !== Object.prototype.toString;
  return own && !Array.isArray(value) ? textBundle(String(value)) : toBundle(value);
}
