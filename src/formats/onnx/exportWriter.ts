import {weightOf, type GraphNode, type Weight} from '../../network/graph';

/** What an operator is written with. Values with three axes, [H, W, C], are written channels first; others as they are. */
export interface Writer {
  node: GraphNode;
  /** Without the batch axis, channels last. */
  shapeOf(name: string): number[];
  isConstant(name: string): boolean;
  /** Name of the network's input. */
  image: string;
  /** Adds a node. @param output left out for a value in between @returns the output's name */
  emit(
    opType: string,
    inputs: string[],
    attributes?: Record<string, number | number[] | string>,
    output?: string,
  ): string;
  /** A trained array. */
  weight(suffix: string, shape: readonly number[], data: Float32Array): string;
  /** Whole numbers, e.g. a shape. */
  whole(values: readonly number[]): string;
}

export const TO_LAST = [0, 2, 3, 1];
export const TO_FIRST = [0, 3, 1, 2];

export type Write = (writer: Writer) => void;

export const isImage = ({shapeOf}: Writer, name: string) => shapeOf(name).length === 3;
/** Axis of a written value from ours, batch first. */
export const axisOf = (writer: Writer, name: string, axis: number) =>
  isImage(writer, name) ? [0, 2, 3, 1][axis] : axis;
const lastFirst = (writer: Writer, name: string) =>
  isImage(writer, name) ? writer.emit('Transpose', [name], {perm: TO_LAST}) : name;

/** Writes with `make` on channels last, and gives the result the node's name, channels first. */
export function channelsLast(writer: Writer, make: (inputs: string[], output?: string) => string): void {
  const {node} = writer;
  const inputs = node.inputs.map((name) => lastFirst(writer, name));
  if (!isImage(writer, node.name)) make(inputs, node.name);
  else writer.emit('Transpose', [make(inputs)], {perm: TO_FIRST}, node.name);
}

export const weight = ({node}: Writer, name: string) => weightOf(node, name) as Weight;
