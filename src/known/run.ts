import {existsSync} from 'node:fs';
import path from 'node:path';
import {InputError} from '../common/errors';
import type {LongCallOptions} from '../common/progress';
import {readable} from '../common/readable';
import {permutation} from '../common/random';
import {suggestThresholds} from '../concepts/thresholds';
import {ensureBackend} from '../engine';
import {longCall} from '../engine/longCall';
import {auroc} from '../numerics/ranking';
import {topOne, zeroInputShare} from '../numerics/statistics';
import {collectRelevance} from '../relevance/collect';
import {classActivations} from './activations';
import {inLockedFolder} from '../files/folderLock';
import {openRows} from '../files/resultRows';
import {clusterScores} from './clusters';
import {describeKnown} from './describe';
import {detectedPairs, detectionScores, relabelled} from './detection';
import {keptPictures, knownImages, type Pictures} from './images';
import {confirms, doubtedParts, measuredAnswers, measuredMeanings, type Meanings} from './meanings';
import {KNOWN_LAYER, STUDIED_CHANNELS} from './network';
import {checkKind, KNOWN_KINDS, knownNetwork, REPORT_SEEDS, type KnownKind} from './networks';
import {CODES} from './parts';
import {SPLIT_RULES, splitRule} from '../split/rules';
import {MEASURES, type KnownRow} from './row';
import {parseKnownRow} from './rowSchema';
import {splitScores} from './splitting';
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
  /** Folder that each network's result is written to as it is done; the same call goes on from there. */
  out?: string;
  /** Begin anew in the folder, whatever it holds. @default false */
  force?: boolean;
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

const FORMAT = {format: 'unweave known benchmark', formatVersion: 1};

/**
 * Measures detection, splitting and clusters without labels on networks whose channels' meanings are known. With `out`, each network is
 * written down as it is done, and the same call, of the same networks or of others, measures those that are missing.
 * @throws InputError for a kind or seed that the package does not have, or a folder of another run; InterruptError when stopped
 */
export async function runKnownBenchmark(options: KnownOptions = {}): Promise<KnownBenchmark> {
  const {kinds = KNOWN_KINDS, seeds = REPORT_SEEDS, perClass = 60, rules = Object.keys(SPLIT_RULES), out} = options;
  if (!Number.isInteger(perClass) || perClass < 4)
    throw new InputError(`invalid number of pictures per class: ${perClass}; give a whole number from 4, such as 60`);
  rules.forEach((rule) => splitRule(rule));
  kinds.forEach(checkKind);
  await ensureBackend();
  const there = (kind: KnownKind, seed: number) => existsSync(path.join(KNOWN_FOLDER, `${kind}-${seed}.safetensors`));
  const networks = kinds.flatMap((kind) =>
    seeds.filter((seed) => options.seeds !== undefined || there(kind, seed)).map((seed) => ({kind, seed})),
  );
  if (networks.length === 0) throw new InputError('no such networks; npm run known:train makes them');
  const work = () => measuredRows(networks, {...options, perClass, rules});
  const rows = await (out === undefined ? work() : inLockedFolder(out, work));
  const result: Omit<KnownBenchmark, 'toString'> = {kind: 'known benchmark', perClass, thresholds: THRESHOLDS, rows};
  return readable(result as KnownBenchmark, describeKnown);
}

/** A row of each network: what the folder holds, else what is measured and written there. */
async function measuredRows(
  networks: readonly {kind: KnownKind; seed: number}[],
  {perClass, rules, out, force, ...calls}: KnownOptions & Required<Pick<KnownOptions, 'perClass' | 'rules'>>,
): Promise<KnownRow[]> {
  const kept = await openRows(out, FORMAT, {perClass, rules: [...rules], thresholds: THRESHOLDS}, force);
  const measured = kept.lines.map((line) => parseKnownRow(line, kept.file!));
  const pictures = keptPictures();
  const about = {label: 'known networks', total: networks.length, unit: 'networks'};
  return longCall(about, calls, async (task, signal) => {
    const rows: KnownRow[] = [];
    for (const {kind, seed} of networks) {
      const before = measured.find((row) => row.kind === kind && row.seed === seed);
      const row = before ?? (await measureNetwork(kind, seed, {perClass, rules, pictures, signal}));
      if (!before) await kept.append(row);
      rows.push(row);
      task.advance(1, {note: `${kind} ${seed}`});
    }
    return rows;
  });
}

async function measureNetwork(
  kind: KnownKind,
  seed: number,
  options: {perClass: number; rules: readonly string[]; pictures: Pictures; signal: AbortSignal},
): Promise<KnownRow> {
  const {perClass, rules, pictures, signal} = options;
  const model = await knownNetwork(kind, seed);
  try {
    const quiet = {layer: KNOWN_LAYER, progress: false as const, signal};
    const stats = await collectRelevance(model, knownImages('train', perClass, pictures), quiet);
    const [fit, held] = (['train', 'test'] as const).map((set) => classActivations(model, set, perClass, pictures));
    const answers = measuredAnswers(model, held, perClass, pictures);
    const measured = measuredMeanings(answers);
    const taught = kind !== 'none-plain';
    const meanings: Meanings = taught
      ? {parts: CODES.map((code) => [...code]), unclear: CODES.map(() => [])}
      : measured;
    const doubted = CODES.map((code, c) => (taught ? doubtedParts(answers, c, code) : []));
    const order = permutation(fit.labels.length, seed + 1);
    const shuffled = relabelled(
      stats,
      fit,
      order.map((n) => fit.labels[n]),
    );
    const detection = (['published', 'gated'] as const).map((vectors) => {
      const {gamma, falseCalls} = suggestThresholds(stats, {...THRESHOLDS, arv: vectors});
      return detectionScores(
        detectedPairs(stats, meanings, vectors, THRESHOLDS, doubted),
        vectors === 'gated' ? detectedPairs(shuffled, meanings, vectors, THRESHOLDS, doubted) : [],
        vectors,
        meanings,
        {gamma, estimate: falseCalls.permuted},
      );
    });
    const clusters = clusterScores(held, meanings);
    const measures = (measure: (typeof MEASURES)[number], several: boolean) =>
      clusters.filter(({parts}) => parts > 1 === several).map((score) => score[measure]);
    return {
      kind,
      seed,
      topOne: topOne(stats),
      zeroInputs: zeroInputShare(stats),
      confirmed: meanings.parts.map(
        (meaning, c) => meaning !== undefined && (!taught || confirms(answers, c, meaning)),
      ),
      parts: meanings.parts.map((meaning) => meaning?.length ?? 0),
      detection,
      splitting: await splitScores(model, stats, meanings, fit, held, {rules, signal}),
      clusters,
      severalAuroc: Object.fromEntries(
        MEASURES.map((measure) => [measure, auroc(measures(measure, true), measures(measure, false))]),
      ) as KnownRow['severalAuroc'],
    };
  } finally {
    model.dispose();
  }
}
