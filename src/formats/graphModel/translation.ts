import {InputError} from '../../common/errors';
import {printableName} from '../../common/printable';
import type {Constant} from '../onnx/tensors';

/** A node of a TensorFlow graph in tfjs's JSON. */
export interface TfNode {
  name: string;
  op: string;
  input: string[];
  attr: Readonly<Record<string, TfAttribute>>;
}

export interface TfAttribute {
  s?: string;
  i?: string | number;
  f?: number;
  b?: boolean;
  type?: string | number;
  list?: {i?: (string | number)[]; s?: string[]; f?: number[]};
}

/** Writes ONNX nodes for one TensorFlow node. */
export interface Translation {
  node: TfNode;
  /** The array of an input that is a constant. @throws InputError for another */
  known(at: number): Constant;
  isKnown(at: number): boolean;
  emit(
    opType: string,
    inputs: string[],
    attributes?: Record<string, number | number[] | string>,
    output?: string,
  ): string;
  /** An array of the reader's own. */
  whole(values: readonly number[], shape?: number[]): string;
  /** A constant input with other axes. */
  weight(at: number, order: readonly number[], shape?: (shape: number[]) => number[]): string;
}

const decoder = new TextDecoder();
export const text = (base64: string) => decoder.decode(Buffer.from(base64, 'base64'));
export const stringOf = ({attr}: TfNode, key: string, fallback = '') =>
  attr[key]?.s === undefined ? fallback : text(attr[key].s);
export const flagOf = ({attr}: TfNode, key: string) => attr[key]?.b === true;
export const numberOf = ({attr}: TfNode, key: string, fallback: number) =>
  Number(attr[key]?.f ?? attr[key]?.i ?? fallback);
export const listOf = ({attr}: TfNode, key: string) => (attr[key]?.list?.i ?? []).map(Number);

export const refuse = ({name, op}: TfNode, why: string) => new InputError(`node ${op} (${name}): ${why}`);

/** [height, width] of an attribute for four axes. @throws InputError for channels first, which TensorFlow's CPUs do not compute either */
export function spatial(node: TfNode, key: string): number[] {
  if (stringOf(node, 'data_format', 'NHWC') !== 'NHWC') throw refuse(node, 'channels first is not supported');
  const list = listOf(node, key);
  return list.length === 4 ? [list[1], list[2]] : [1, 1];
}

export function padding(node: TfNode): Record<string, number[] | string> {
  const kind = stringOf(node, 'padding', 'VALID');
  if (kind === 'SAME') return {auto_pad: 'SAME_UPPER'};
  if (kind === 'VALID') return {};
  const amounts = listOf(node, 'explicit_paddings');
  if (kind !== 'EXPLICIT' || amounts.length !== 8 || !amounts.every(Number.isSafeInteger)) {
    const said = kind === 'EXPLICIT' ? `explicit_paddings is [${amounts.slice(0, 9).join(', ')}]` : `padding is "${printableName(kind, 60)}"`; // prettier-ignore
    throw refuse(node, `${said}; padding is SAME, VALID, or EXPLICIT with eight amounts`);
  }
  const [, , top, bottom, left, right] = amounts;
  return {pads: [top, left, bottom, right]};
}

export type Translate = (translation: Translation) => void;

export type Attributes = Record<string, number | number[] | string>;

/** The operator as it is, with other attributes. */
export const plain =
  (opType: string, attributes: (node: TfNode) => Attributes = () => ({})): Translate =>
  ({node, emit}) =>
    void emit(opType, node.input, attributes(node), node.name);
