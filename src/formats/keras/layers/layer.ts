import type {GraphNode, Weight} from '../../../network/graph';
import type {LayerArguments} from '../arguments';
import type {LayerUse} from '../topology';
import type {WantedWeight} from '../weights';

/** What a Keras layer is turned into nodes with. */
export interface LayerContext {
  /** The name of the node that carries the layer's output. */
  readonly name: string;
  /** `Conv2D layer "conv1"`, for messages. */
  readonly owner: string;
  readonly className: string;
  readonly args: LayerArguments;
  /** Names of the nodes that it reads. */
  readonly inputs: readonly string[];
  /** Shape of each of these without the batch axis. */
  readonly shapes: readonly (readonly number[])[];
  readonly use: LayerUse;
  /** Keras' generation, or tfjs-layers: some defaults differ. */
  readonly dialect: Dialect;
  /** The layer's arrays; the same ones for each use of the layer. */
  weights(wanted: readonly WantedWeight[]): Weight[];
  hasWeight(name: string): boolean;
  /** Adds a node, by default with the layer's name and inputs, and returns its name. */
  add(operator: string, args: Record<string, unknown>, more?: NodeFields): string;
  /** A name that no node and no layer of the network has: `wanted` itself, or with a count. */
  fresh(wanted: string): string;
  shapeOf(node: string): readonly number[];
  /** The node for one of the use's tensors. */
  nodeOf(tensor: LayerUse['tensors'][number]): string;
}

export type NodeFields = Partial<Pick<GraphNode, 'name' | 'weights' | 'mark'>> & {inputs?: readonly string[]};

export type Dialect = 'keras2' | 'keras3' | 'tfjs';

/** Adds the layer's nodes and returns the name of the one that carries its output. */
export type LayerReader = (layer: LayerContext) => string;

/**
 * A positive axis, counted with the batch axis, of the layer's first input.
 * @throws InputError where there is no such axis
 */
export function positiveAxis(layer: LayerContext, key: string, fallback: number): number {
  const raw = layer.args.raw(key) ?? fallback;
  const axis = Array.isArray(raw) && raw.length === 1 ? (raw[0] as unknown) : raw;
  return resolveAxis(layer, key, axis);
}

export function resolveAxis(layer: LayerContext, key: string, axis: unknown): number {
  const rank = layer.shapes[0].length + 1;
  const positive = Number.isInteger(axis) && (axis as number) < 0 ? (axis as number) + rank : axis;
  if (!Number.isInteger(positive) || (positive as number) < 1 || (positive as number) >= rank) {
    throw layer.args.invalid(
      key,
      axis,
      `its input has axes 1 to ${rank - 1} beside the batch axis, and one of these is needed`,
    );
  }
  return positive as number;
}
