import {upTo, type Graph} from './graph';
import {reachOf, shapesOf, wholeOf, type Region} from './operators';

/** A rectangle of a picture's pixels. */
export interface Rectangle {
  top: number;
  left: number;
  height: number;
  width: number;
}

/**
 * The receptive field of one position of a layer's output: the smallest rectangle of the picture that holds every pixel that the position
 * can depend on, along all paths of the graph, whatever the weights; cut off at the picture's edge. What is pooled, normalised or multiplied
 * over all positions (squeeze and excitation, attention, a dense layer behind Flatten) sees the whole picture.
 * @param layer a node of the graph
 * @param position row and column of its output [H', W', C]; of an output without positions [0, 0]
 * @returns undefined where the position depends on no pixel
 */
export function receptiveField(
  graph: Graph,
  layer: string,
  position: readonly [row: number, column: number],
): Rectangle | undefined {
  const part = upTo(graph, [layer]);
  const shapes = shapesOf(part);
  const regions = new Map<string, Region>([[layer, regionAt(shapes.get(layer)!, position)]]);
  for (const node of [...part.nodes].reverse()) {
    const region = regions.get(node.name);
    if (!region || node.inputs.length === 0) continue;
    const inputs = node.inputs.map((name) => shapes.get(name)!);
    reachOf(node, region, inputs).forEach((read, at) => {
      const name = node.inputs[at]!;
      if (read) regions.set(name, hull(regions.get(name), read));
    });
  }
  const [rows, columns] = regions.get(part.inputs[0]!) ?? [];
  if (!rows || !columns) return undefined;
  return {top: rows[0], left: columns[0], height: rows[1] - rows[0] + 1, width: columns[1] - columns[0] + 1};
}

/** All channels at a position; axes beyond two of them, as `asPositions` reads them, are taken whole. */
function regionAt(shape: readonly number[], [row, column]: readonly [number, number]): Region {
  const region = wholeOf([...shape]);
  if (shape.length === 3) return [[row, row], [column, column], region[2]!];
  return shape.length === 2 ? [[column, column], region[1]!] : region;
}

function hull(a: Region | undefined, b: Region): Region {
  if (!a) return b;
  return a.map(([first, last], at) => [Math.min(first, b[at]![0]), Math.max(last, b[at]![1])]);
}
