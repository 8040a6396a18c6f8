import {InputError} from '../../common/errors';
import type {Graph, GraphNode, Weight} from '../../network/graph';
import {checkGraph} from '../../network/operators';
import type {StoredWeight} from './layers/layer';
import type {Metadata} from './metadata';
import type {Expressed} from './write';

/**
 * The graph that was saved, from that of the layers which were written for it: nodes that are several layers become one again, names
 * and marks come back.
 * @throws InputError where the metadata do not fit the layers
 */
export function restoreGraph(built: Graph, {expressed, names, marks}: Metadata, file: string): Graph {
  const damaged = (what: string) => new InputError(`"${file}" is damaged: ${what}; save the model again`);
  const byName = new Map(built.nodes.map((node) => [node.name, node]));
  const nameOf = (layer: string) => (Object.hasOwn(names, layer) ? names[layer] : layer);
  /** Layers that stand for a part of a node → its entry; the last one makes the node. */
  const partOf = new Map<string, Expressed>();
  for (const entry of expressed) {
    const last = entry.layers[entry.layers.length - 1];
    if (nameOf(last) !== entry.node) throw damaged(`layer "${last}" does not carry "${entry.node}"`);
    for (const layer of entry.layers) {
      if (!byName.has(layer) || partOf.has(layer)) throw damaged(`layer "${layer}" of "${entry.node}" is missing`);
      partOf.set(layer, entry);
    }
  }
  // A layer may be read as several nodes, the others generated for it.
  const layerOf = ({name, mark}: GraphNode) => (mark?.kind === 'generated' ? (mark.of ?? name) : name);
  const nodes = built.nodes.flatMap((node): GraphNode[] => {
    const entry = partOf.get(layerOf(node));
    const name = nameOf(node.name);
    const mark = Object.hasOwn(marks, name) ? {mark: marks[name]} : {};
    if (!entry) return [{...node, name, inputs: node.inputs.map(nameOf), ...mark}];
    if (node.name !== entry.layers[entry.layers.length - 1]) return [];
    const weights = entry.weights.map((stored) => restoreWeight(stored, entry, byName, damaged));
    return [{name, operator: entry.operator, args: entry.args, inputs: entry.inputs, weights, ...mark}];
  });
  const graph = {nodes, inputs: built.inputs.map(nameOf), outputs: built.outputs.map(nameOf)};
  if (expressed.length > 0 || Object.keys(names).length > 0) checkGraph(graph);
  return graph;
}

function restoreWeight(
  stored: StoredWeight,
  {node, operator, args}: Expressed,
  byName: ReadonlyMap<string, GraphNode>,
  damaged: (what: string) => InputError,
): Weight {
  const {name, shape} = stored;
  const count = shape.reduce((product, size) => product * size, 1);
  if ('values' in stored) {
    if (stored.values.length !== count) throw damaged(`${name} of "${node}" has ${stored.values.length} numbers`);
    return {name, shape, data: Float32Array.from(stored.values)};
  }
  const weight = byName.get(stored.layer)?.weights.find((candidate) => candidate.name === stored.weight);
  if (!weight) throw damaged(`${stored.weight} of layer "${stored.layer}" is missing`);
  const data = FORMS[stored.form](weight, shape, args);
  if (data.length !== count) throw damaged(`${name} of ${operator} "${node}" has ${data.length} numbers`);
  return {name, shape, data};
}

const pairOf = (value: unknown): [number, number] =>
  Array.isArray(value) && value.length === 2 ? [Number(value[0]), Number(value[1])] : [1, 1];

const FORMS: Record<
  'same' | 'blocks' | 'spread',
  (weight: Weight, shape: readonly number[], args: Record<string, unknown>) => Float32Array
> = {
  same: ({data}) => data,
  /** [kh, kw, Cin, Cout] with zeros between the groups → [kh, kw, Cin/groups, Cout]. */
  blocks({shape: full, data}, [height, width, inputs, outputs], args) {
    const groups = Number(args.groups);
    if (full.join() !== [height, width, inputs * groups, outputs].join()) return new Float32Array();
    const each = outputs / groups;
    return Float32Array.from({length: height * width * inputs * outputs}, (_, at) => {
      const output = at % outputs;
      const input = Math.floor(at / outputs) % inputs;
      const tap = Math.floor(at / (outputs * inputs));
      return data[(tap * inputs * groups + Math.floor(output / each) * inputs + input) * outputs + output];
    });
  },
  /** A kernel with zeros in place of a dilation → the kernel. */
  spread({shape: full, data}, [height, width, ...rest], args) {
    const [down, across] = pairOf(args.dilationRate);
    const size = rest.reduce((product, length) => product * length, 1);
    const wide = (width - 1) * across + 1;
    if (full.join() !== [(height - 1) * down + 1, wide, ...rest].join()) return new Float32Array();
    return Float32Array.from({length: height * width * size}, (_, at) => {
      const tap = Math.floor(at / size);
      const place = Math.floor(tap / width) * down * wide + (tap % width) * across;
      return data[place * size + (at % size)];
    });
  },
};
