import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import type {Step} from './steps';

/** Steps in order, each with the values that nothing reads after it. */
export type Program = readonly {step: Step; last: readonly string[]}[];

export type Values = Map<string, tf.Tensor>;

/** @param stays values that are freed by nobody: what was asked for, what was given */
export function withLastUses(steps: readonly Step[], stays: ReadonlySet<string>): Program {
  const program = steps.map((step) => ({step, last: [] as string[]}));
  const reader = new Map<string, string[]>();
  for (const {step, last} of program) for (const input of step.inputs) reader.set(input, last);
  for (const [name, last] of reader) if (!stays.has(name)) last.push(name);
  return program;
}

/**
 * Runs steps in order and frees each value at its last use.
 * @param watch may put another tensor in place of a value
 */
export function compute(program: Program, values: Values, watch?: (name: string, value: tf.Tensor) => tf.Tensor): void {
  for (const {step, last} of program) {
    const value = step.run(step.inputs.map((input) => values.get(input)!));
    values.set(step.name, watch ? watch(step.name, value) : value);
    for (const name of last) {
      values.get(name)!.dispose();
      values.delete(name);
    }
  }
}

/** A network divided at taps: what depends on none of them, and what is after one of them. */
export interface Divided {
  before: Program;
  after: Program;
}

/** @throws InputError for a tap that `output` does not depend on */
export function divideAt(
  taps: readonly string[],
  output: string,
  steps: readonly Step[],
  stays: ReadonlySet<string>,
): Divided {
  const upstream = new Set([output]);
  for (const {name, inputs} of [...steps].reverse())
    if (upstream.has(name)) inputs.forEach((read) => upstream.add(read));
  const apart = taps.find((tap) => !upstream.has(tap));
  if (apart !== undefined) throw new InputError(`the network's output "${output}" does not depend on "${apart}"`);
  const downstream = new Set(taps);
  const [before, after]: [Step[], Step[]] = [[], []];
  for (const step of steps) {
    const isAfter = step.inputs.some((input) => downstream.has(input));
    if (isAfter) downstream.add(step.name);
    (isAfter ? after : before).push(step);
  }
  const program = withLastUses([...before, ...after], stays);
  return {before: program.slice(0, before.length), after: program.slice(before.length)};
}
