import {countText, numberText, percentText} from '../common/numbers';
import type {LayerBatch} from './types';

/** Where the time of a pass goes; each moment belongs to one of them. */
export const PHASES = {
  decode: 'waiting for decoded images',
  forward: 'images to the layer',
  backward: 'the layer to the logits, and back',
  measure: 'what the collectors ask of a batch',
  add: 'adding it up',
  checkpoint: 'stamps of files, checkpoints',
  other: 'between batches',
} as const;
export type Phase = keyof typeof PHASES;

/** Time by phase, measured while a pass runs. */
export interface PassProfile {
  images: number;
  /** Milliseconds. */
  times: Record<Phase, number>;
  /** From now on it is another phase's time. */
  enter(phase: Phase): Phase;
  /** Runs something on a phase's account, then goes on with the one before. */
  within<T>(phase: Phase, work: () => T): T;
  toString(): string;
}

/** A profile to hand to a pass, which fills it. */
export function passProfile(): PassProfile {
  const times = Object.fromEntries(Object.keys(PHASES).map((phase) => [phase, 0])) as Record<Phase, number>;
  let current: Phase = 'other';
  let since = performance.now();
  const profile: PassProfile = {
    images: 0,
    times,
    enter(phase) {
      const now = performance.now();
      times[current] += now - since;
      const before = current;
      [current, since] = [phase, now];
      return before;
    },
    within(phase, work) {
      const before = profile.enter(phase);
      try {
        return work();
      } finally {
        profile.enter(before);
      }
    },
    toString: () => describe(profile),
  };
  return profile;
}

/** The batch, with what it computes on the account of its phase. Engines compute at once, so that a call's time is the work's. */
export function profiled(batch: LayerBatch, profile: PassProfile | undefined): LayerBatch {
  if (!profile) return batch;
  const output = () => profile.within('forward', () => batch.output());
  const behind =
    <T>(work: () => T) =>
    () => {
      output();
      return profile.within('backward', work);
    };
  return {
    ...batch,
    input: () => profile.within('forward', () => batch.input()),
    output,
    gradient: behind(() => batch.gradient()),
    logits: behind(() => batch.logits()),
    relevance: behind(() => batch.relevance()),
    shares: behind(() => batch.shares()),
  };
}

function describe({images, times}: PassProfile): string {
  const total = Object.values(times).reduce((sum, time) => sum + time, 0);
  const each = (time: number) => numberText(time / Math.max(images, 1));
  const lines = Object.entries(times)
    .filter(([, time]) => time > 0)
    .map(([phase, time]) => {
      const percent = percentText(time / total, 1);
      return `  ${percent.padStart(7)}  ${each(time).padStart(8)} ms  ${PHASES[phase as Phase]}`;
    });
  return [`time of ${countText(images)} images, ${each(total)} ms each:`, ...lines].join('\n');
}
