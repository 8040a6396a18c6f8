/** What arbitrary nodes are made of. */
import fc from 'fast-check';
import type {GraphNode, Weight} from '../../src/network/graph';
import {node, weight} from '../../src/network/operators';
import {sizeOf} from './slowOperators';

export interface OperatorCase {
  node: GraphNode;
  /** With the batch axis. */
  inputs: number[][];
  /** Values are drawn from [low, high]. */
  range?: [number, number];
}

/** Values in low..high by a linear congruence. */
export function values(count: number, seed: number, [low, high]: [number, number] = [-1, 1]): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({length: count}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
}

export const int = (min: number, max: number) => fc.integer({min, max});
export const pair = (min: number, max: number) => fc.tuple(int(min, max), int(min, max));
export const sides = (most: number) => fc.tuple(pair(0, most), pair(0, most));
export const padding = (most: number) =>
  fc.oneof(fc.constant('same' as const), fc.constant('valid' as const), sides(most));
export const imageInput = fc.record({batch: int(1, 2), image: pair(2, 8), channels: int(1, 4)});

export const array = (name: string, shape: number[], seed: number, range?: [number, number]): Weight =>
  weight(name, values(sizeOf(shape), seed, range), shape);

export const some = (wanted: boolean, ...weights: Weight[]) => (wanted ? weights : []);
export const made = (operator: string, args: object, count = 1, weights: Weight[] = []) =>
  node(operator, 'studied', {
    inputs: Array.from({length: count}, (_, i) => `in${i}`),
    args: args as Record<string, unknown>,
    weights,
  });

/** A shape with batch axis of two to four axes. */
export const anyShape = fc.array(int(1, 4), {minLength: 2, maxLength: 4});
