import type {GraphNode, Weight} from '../../../network/graph';

/** One layer of a LayersModel, its configuration in Python's spelling. */
export interface WrittenLayer {
  name: string;
  className: string;
  config: Record<string, unknown>;
  inputs: string[];
  /** Named as tfjs names them. */
  weights: Weight[];
}

/**
 * Where a node's array lies among the layers that stand for it. `blocks`: on the diagonal of the kernel of a convolution without
 * groups; `spread`: the kernel has zeros between its taps in place of a dilation; `same`: as it is, perhaps in another shape.
 */
export type StoredWeight =
  | {name: string; shape: number[]; layer: string; weight: string; form: 'same' | 'blocks' | 'spread'}
  | {name: string; shape: number[]; values: number[]};

/** What a node is turned into layers with. */
export interface WriterContext {
  readonly node: GraphNode;
  /** Layers that carry its inputs. */
  readonly inputs: readonly string[];
  /** Shapes of its inputs without the batch axis. */
  readonly shapes: readonly (readonly number[])[];
  /** The shape of its output. */
  readonly shape: readonly number[];
  /** Whether no value of its input is below 0, whatever the image. */
  readonly nonNegative: boolean;
  /** Adds a layer with a name of its own that stands for a part of the node. */
  part(className: string, config: Record<string, unknown>, more?: LayerFields): string;
  /** Adds the layer that carries the node's output, and has its name. */
  whole(className: string, config: Record<string, unknown>, more?: LayerFields): string;
  /** Says where an array is stored that is not simply the layer's own. */
  store(weight: StoredWeight): void;
  /** The layer has not the node's very operator: reading has to put the node back. */
  rewritten(): void;
  /** A sentence for the user about how the node was written. */
  note(what: string): void;
  /** The name that `whole` will give. */
  readonly layerName: string;
  refuse(why: string): never;
}

export type LayerFields = {inputs?: readonly string[]; weights?: readonly Weight[]; suffix?: string};

/** Writes a node as layers, the last of them by `whole`. */
export type NodeWriter = (writer: WriterContext) => void;

/** A node cannot be written as layers that tfjs computes. */
export class Inexpressible extends Error {}

export const zeros = {class_name: 'Zeros', config: {}};
export const plain = {data_format: 'channels_last'};

export const weightOf = ({node}: WriterContext, name: string): Weight | undefined =>
  node.weights.find((weight) => weight.name === name);
