import {InputError} from '../../common/errors';
import type {Weight} from '../../network/graph';
import type {GraphBuilder} from '../builder';
import {toNumber, type AttributeMessage, type NodeMessage} from './proto';
import {float32, readTensor, type Constant} from './tensors';
import {settled, type Activation, type Value} from './values';

/** One node of a file that is read, with the values of its inputs. */
export interface Call {
  graph: GraphBuilder;
  node: NodeMessage;
  /** Name for the node of our graph. */
  name: string;
  /** Version of ONNX's operators, e.g. 17. */
  opset: number;
  inputs: (Value | undefined)[];
  /** Converts a helper node of the same graph; for operators that are made of others. */
  run(opType: string, inputs: (Value | undefined)[], attributes?: AttributeMessage[]): Value[];
}

/** Reads one operator: its nodes are added to `call.graph`, its outputs are returned. */
export type Reader = (call: Call) => Value | Value[];

/** What the messages call a node: its operator and name. */
export function titleOf(node: NodeMessage): string {
  return `${node.opType} (${node.name || node.output[0]})`;
}

export function refuse(call: Call, why: string): InputError {
  return new InputError(`node ${titleOf(call.node)}: ${why}`);
}

const attribute = ({node}: Call, name: string) => node.attribute.find((candidate) => candidate.name === name);

export function integer(call: Call, name: string, fallback: number): number {
  const found = attribute(call, name);
  return found ? toNumber(found.i) : fallback;
}

export function number(call: Call, name: string, fallback: number): number {
  const found = attribute(call, name);
  return found ? found.f : fallback;
}

export function integers(call: Call, name: string): number[] | undefined {
  return attribute(call, name)?.ints.map(toNumber);
}

export function numbers(call: Call, name: string): number[] | undefined {
  return attribute(call, name)?.floats;
}

export function words(call: Call, name: string, fallback: string): string {
  const found = attribute(call, name);
  return found ? new TextDecoder().decode(found.s) : fallback;
}

export function tensor(call: Call, name: string): Constant | undefined {
  const found = attribute(call, name);
  return found?.t ? readTensor(found.t) : undefined;
}

/** An input that depends on the image. @throws InputError where it is absent or known */
export function activationInput(call: Call, at = 0): Activation {
  const value = call.inputs[at];
  if (value?.kind === 'activation') return settled(call.graph, value);
  throw refuse(call, `input ${at} must depend on the image, and it is ${value ? 'a known array' : 'absent'}`);
}

/** An input whose values are known. @throws InputError where they depend on the image */
export function knownInput(call: Call, at: number): Constant | undefined {
  const value = call.inputs[at];
  if (value?.kind !== 'activation') return value;
  throw refuse(call, `input ${at} depends on the image; only known values are supported there`);
}

/** @throws InputError where the input is absent or depends on the image */
export function weightInput(call: Call, at: number): Constant {
  const value = knownInput(call, at);
  if (!value) throw refuse(call, `input ${at} is missing`);
  return value;
}

/** Whole numbers from an input, or, as older versions have it, from an attribute. */
export function listed(call: Call, at: number, name: string): number[] | undefined {
  const value = knownInput(call, at);
  return value ? [...value.data] : integers(call, name);
}

export function weight(name: string, shape: number[], data: Constant['data']): Weight {
  return {name, shape, data: float32(data)};
}

/** Axes counted from the front. @throws InputError for one that does not exist */
export function positive(call: Call, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(at) && at >= 0 && at < rank) return at;
  throw refuse(call, `axis ${axis} does not exist in a tensor with ${rank} axes`);
}

/** Adds a node that reads one value and keeps the number and order of its axes. */
export function emit(
  call: Call,
  operator: string,
  args: Record<string, unknown>,
  value: Activation,
  weights: readonly Weight[] = [],
): Activation {
  const node = call.graph.add(operator, call.name, {args, inputs: [value.node], weights});
  return {kind: 'activation', node, axes: value.axes, shape: fileShape(call.graph.shapeOf(node), value)};
}

/** The shape as the file counts axes, of a node's output whose axes are ordered as those of `like`. */
export function fileShape(sizes: readonly number[], {axes, shape}: Activation): number[] {
  return shape.map((batch, axis) => {
    const at = axes.indexOf(axis);
    return at === 0 ? batch : sizes[at - 1];
  });
}
