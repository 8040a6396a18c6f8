import {existsSync} from 'node:fs';
import path from 'node:path';
import {InputError} from '../common/errors';
import {startTask, type LongCallOptions} from '../common/progress';
import {readable} from '../common/readable';
import {permutation} from '../common/random';
import {suggestThresholds} from '../concepts/thresholds';
import {ensureBackend} from '../engine';
import {auroc} from '../numerics/ranking';
import {topOne, zeroInputShare} from '../numerics/statistics';
import {collectRelevance} from '../relevance/collect';
import {classActivations, singleActivations} from './activations';
import {clusterScores, type ClusterScore} from './clusters';
import {describeKnown} from './describe';
import {detectedPairs, detectionScores, relabelled, type DetectionScores} from './detection';
import {knownImages} from './images';
import {measuredMeanings, type Meanings} from './meanings';
import {KNOWN_LAYER, STUDIED_CHANNELS} from './network';
import {KNOWN_KINDS, knownNetwork, REPORT_SEEDS, type KnownKind} from './networks';
import {CODES} from './parts';
import {splitRule} from '../split/rules';
import {splitScores, type SplitScore} from './splitting';
import {KNOWN_FOLDER} from './weights';

export interface KnownOptions extends LongCallOptions {
  /** @default all */
  kinds?: readonly KnownKind[];
  /** Seeds of the networks. @default those that nothing was chosen on, as far as the package has them */
  seeds?: readonly number[];
  /** Pictures of each class that statistics and splits are made from, and as many others that are measured on. @default 60 */
  perClass?: number;
  /** Splitting rules by name; `[]` measures detection alone, with the controls. @default all */
  rules?: readonly string[];
}

/** What one network shows. */
export interface KnownRow {
  kind: KnownKind;
  seed: number;
  topOne: number;
  zeroInputs: number;
  /** Number of parts that each channel means; 0 where it hardly fires. */
  parts: number[];
  detection: DetectionScores[];
  splitting: SplitScore[];
  clusters: ClusterScore[];
  /** Silhouette of two clusters: channels of several parts against those of one. */
  silhouetteAuroc: number;
}

export interface KnownBenchmark {
  readonly kind: 'known benchmark';
  perClass: number;
  thresholds: {tau: number; p: number};
  rows: KnownRow[];
  toString(): string;
}

/** τ is twice an equal share, p the paper's. */
const THRESHOLDS = {tau: 2 / STUDIED_CHANNELS, p: 0.75};

/**
 * Measures detection, splitting and clusters without labels on networks whose channels' meanings are known.
 * @throws InputError for a kind or seed that the package does not have
 */
export async function runKnownBenchmark(options: KnownOptions = {}): Promise<KnownBenchmark> {
  const {kinds = KNOWN_KINDS, seeds = REPORT_SEEDS, perClass = 60} = options;
  if (!Number.isInteger(perClass) || perClass < 4)
    throw new InputError(`invalid number of pictures per class: ${perClass}; give a whole number from 4, such as 60`);
  options.rules?.forEach((rule) => splitRule(rule));
  await ensureBackend();
  const there = (kind: KnownKind, seed: number) => existsSync(path.join(KNOWN_FOLDER, `${kind}-${seed}.safetensors`));
  const networks = kinds.flatMap((kind) =>
    seeds.filter((seed) => options.seeds !== undefined || there(kind, seed)).map((seed) => ({kind, seed})),
  );
  if (networks.length === 0) throw new InputError('no such networks; npm run known:train makes them');
  const about = {label: 'known networks', total: networks.length, unit: 'networks'};
  const task = startTask(about, options.progress);
  const rows: KnownRow[] = [];
  try {
    for (const {kind, seed} of networks) {
      rows.push(await measureNetwork(kind, seed, perClass, options.rules));
      task.advance(1, {note: `${kind} ${seed}`});
      options.signal?.throwIfAborted();
    }
    task.finish('done');
  } catch (error) {
    task.finish('failed');
    throw error;
  }
  const result: Omit<KnownBenchmark, 'toString'> = {kind: 'known benchmark', perClass, thresholds: THRESHOLDS, rows};
  return readable(result as KnownBenchmark, describeKnown);
}

async function measureNetwork(
  kind: KnownKind,
  seed: number,
  perClass: number,
  rules?: readonly string[],
): Promise<KnownRow> {
  const model = await knownNetwork(kind, seed);
  try {
    const quiet = {layer: KNOWN_LAYER, progress: false as const};
    const stats = await collectRelevance(model, knownImages('train', perClass), quiet);
    const [fit, held] = [classActivations(model, 'train', perClass), classActivations(model, 'test', perClass)];
    const measured = measuredMeanings(singleActivations(model, perClass));
    const taught = kind !== 'none-plain';
    const meanings: Meanings = taught
      ? {parts: CODES.map((code) => [...code]), unclear: CODES.map(() => [])}
      : measured;
    const untaught = CODES.map((code, c) =>
      taught ? [...(measured.parts[c] ?? []), ...measured.unclear[c]].filter((part) => !code.includes(part)) : [],
    );
    const order = permutation(fit.labels.length, seed + 1);
    const shuffled = relabelled(
      stats,
      fit,
      order.map((n) => fit.labels[n]),
    );
    const gamma = suggestThresholds(stats, THRESHOLDS).gamma;
    const detection = (['published', 'gated'] as const).map((vectors) =>
      detectionScores(
        detectedPairs(stats, meanings, vectors, THRESHOLDS, untaught),
        vectors === 'gated' ? detectedPairs(shuffled, meanings, vectors, THRESHOLDS, untaught) : [],
        vectors,
        meanings,
        gamma,
      ),
    );
    const clusters = clusterScores(held, meanings);
    const silhouettes = (several: boolean) =>
      clusters.filter(({parts}) => parts > 1 === several).map(({silhouette}) => silhouette);
    return {
      kind,
      seed,
      topOne: topOne(stats),
      zeroInputs: zeroInputShare(stats),
      parts: meanings.parts.map((meaning) => meaning?.length ?? 0),
      detection,
      splitting: await splitScores(model, stats, meanings, fit, held, rules),
      clusters,
      silhouetteAuroc: auroc(silhouettes(true), silhouettes(false)),
    };
  } finally {
    model.dispose();
  }
}
