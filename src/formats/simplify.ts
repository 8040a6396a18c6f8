/**
 * What exporters spell out, put together again: equal functions, fewer nodes, and layers that look as their authors wrote them.
 */
import {weightOf, type Graph, type GraphNode, type Weight} from '../network/graph';
import {shapesOf} from '../network/operators';
import {withoutUnused} from './builder';

interface View {
  /** The node that computes a value. */
  of(name: string): GraphNode;
  /** How many nodes, or outputs of the network, read it. */
  readers(name: string): number;
  shape(name: string): number[];
  /** Takes down in which order a dense layer's rows were: old row of each new one. */
  reordered(name: string, rows: number[]): void;
}

/** A node in place of this one: under its name, or a layer before it that takes it over; or several that change, this one last. */
type Rule = (node: GraphNode, view: View) => GraphNode | GraphNode[] | undefined;

/** @param reordered is told of dense layers whose rows count pixels channels last now: the old row of each new one */
export function simplified(graph: Graph, reordered: View['reordered'] = () => undefined): Graph {
  let current = graph;
  for (const rules of ROUNDS) current = applied(current, rules, reordered);
  return current;
}

function applied(graph: Graph, rules: readonly Rule[], reordered: View['reordered']): Graph {
  const nodes = new Map<string, GraphNode>();
  const counts = new Map<string, number>();
  for (const name of [...graph.outputs, ...graph.nodes.flatMap(({inputs}) => inputs)])
    counts.set(name, (counts.get(name) ?? 0) + 1);
  const renamed = new Map<string, string>();
  const shapes = shapesOf(graph);
  const view: View = {
    of: (name) => nodes.get(name) as GraphNode,
    readers: (name) => counts.get(name) ?? 0,
    shape: (name) => shapes.get(name) as number[],
    reordered,
  };
  for (const original of graph.nodes) {
    let node: GraphNode = {...original, inputs: original.inputs.map((name) => renamed.get(name) ?? name)};
    for (const rule of rules) {
      const found = [rule(node, view) ?? []].flat();
      const last = found.at(-1);
      if (!last) continue;
      for (const changed of found.slice(0, -1)) nodes.set(changed.name, changed);
      if (last.name === node.name) {
        node = last;
        continue;
      }
      // A layer takes over what was behind it, and with it the readers.
      nodes.set(last.name, last);
      renamed.set(node.name, last.name);
      counts.set(last.name, view.readers(node.name));
      break;
    }
    if (!renamed.has(node.name)) nodes.set(node.name, node);
  }
  const outputs = graph.outputs.map((name) => renamed.get(name) ?? name);
  return withoutUnused({...graph, nodes: [...nodes.values()], outputs});
}

const numbers = (node: GraphNode, name: string) => (weightOf(node, name) as Weight).data;
const close = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));
const vector = (name: string, data: Float32Array): Weight => ({name, shape: [data.length], data});

/** The input of x·scale + offset with one number each; undefined for another node. */
function affineOf(node: GraphNode, scale: number, offset: number): string | undefined {
  if (node.operator !== 'Rescaling') return undefined;
  const [s, o] = [numbers(node, 'scale'), numbers(node, 'offset')];
  return s.length === 1 && o.length === 1 && close(s[0], scale) && close(o[0], offset) ? node.inputs[0] : undefined;
}

const activationOf = (node: GraphNode, activation: string) =>
  node.operator === 'Activation' && node.args.activation === activation ? node.inputs[0] : undefined;

/** Both orders of a pair. */
const orders = <T>([a, b]: readonly T[]): [T, T][] => [
  [a, b],
  [b, a],
];

const activation = (node: GraphNode, name: string, input: string): GraphNode => ({
  ...node,
  operator: 'Activation',
  args: {activation: name},
  inputs: [input],
  weights: [],
});

/** Two steps x·a + b in a row are one. */
const rescalings: Rule = (node, view) => {
  if (node.operator !== 'Rescaling') return undefined;
  const before = view.of(node.inputs[0]);
  if (before.operator !== 'Rescaling' || view.readers(before.name) !== 1) return undefined;
  const [a, b, c, d] = [
    numbers(before, 'scale'),
    numbers(before, 'offset'),
    numbers(node, 'scale'),
    numbers(node, 'offset'),
  ];
  const length = Math.max(a.length, b.length, c.length, d.length);
  const at = (data: Float32Array, index: number) => data[data.length === 1 ? 0 : index];
  const each = (f: (index: number) => number) => Float32Array.from({length}, (_, index) => f(index));
  return {
    ...node,
    inputs: before.inputs,
    weights: [
      vector(
        'scale',
        each((i) => at(a, i) * at(c, i)),
      ),
      vector(
        'offset',
        each((i) => at(b, i) * at(c, i) + at(d, i)),
      ),
    ],
  };
};

/** x·(1 + erf(x/√2))/2, multiplied in any order. */
const gelu: Rule = (node, view) => {
  const onePlusErf = (name: string) => {
    const sum = affineOf(view.of(name), 1, 1);
    const inner = sum === undefined ? undefined : activationOf(view.of(sum), 'erf');
    return inner === undefined ? undefined : affineOf(view.of(inner), Math.SQRT1_2, 0);
  };
  const half = affineOf(node, 0.5, 0);
  if (half !== undefined && view.of(half).operator === 'Multiply') {
    for (const [x, other] of orders(view.of(half).inputs))
      if (onePlusErf(other) === x) return activation(node, 'gelu', x);
  }
  if (node.operator !== 'Multiply') return undefined;
  for (const [a, b] of orders(node.inputs)) {
    const x = onePlusErf(b);
    if (x !== undefined && affineOf(view.of(a), 0.5, 0) === x) return activation(node, 'gelu', x);
  }
  return undefined;
};

/** x·sigmoid(x), x·hard_sigmoid(x) */
const gated: Rule = (node, view) => {
  if (node.operator !== 'Multiply' || node.inputs.length !== 2) return undefined;
  for (const [x, gate] of orders(node.inputs)) {
    const by = view.of(gate);
    if (by.inputs[0] !== x) continue;
    if (activationOf(by, 'sigmoid')) return activation(node, 'swish', x);
    const {slope, offset} = by.args as {slope: number; offset: number};
    if (by.operator === 'HardSigmoid' && close(slope, 1 / 6) && close(offset, 0.5))
      return activation(node, 'hard_swish', x);
  }
  return undefined;
};

/** (x − mean)/√(variance + ε), as operator sets before 17 have it. */
const layerNorm: Rule = (node, view) => {
  if (node.operator !== 'Divide') return undefined;
  const root = activationOf(view.of(node.inputs[1]), 'sqrt');
  const sum = root === undefined ? undefined : view.of(root);
  if (
    sum?.operator !== 'Rescaling' ||
    numbers(sum, 'scale').length !== 1 ||
    numbers(sum, 'offset').length !== 1 ||
    numbers(sum, 'scale')[0] !== 1
  )
    return undefined;
  const variance = view.of(sum.inputs[0]);
  const centred = (name: string) => {
    const {operator, inputs} = view.of(name);
    const mean = operator === 'Subtract' ? view.of(inputs[1]) : undefined;
    return mean?.operator === 'Mean' && mean.inputs[0] === inputs[0] && mean.args.keepdims === true
      ? {x: inputs[0], axes: mean.args.axes as number[]}
      : undefined;
  };
  const upper = centred(node.inputs[0]);
  if (!upper || variance.operator !== 'Mean' || variance.args.keepdims !== true) return undefined;
  const square = view.of(variance.inputs[0]);
  const squares =
    square.operator === 'Power'
      ? square.args.exponent === 2
      : square.operator === 'Multiply' && square.inputs[0] === square.inputs[1];
  const lower = squares ? centred(square.inputs[0]) : undefined;
  const sameAxes = [lower?.axes, variance.args.axes].every(
    (axes) => JSON.stringify(axes) === JSON.stringify(upper.axes),
  );
  if (lower?.x !== upper.x || !sameAxes) return undefined;
  const args = {axes: upper.axes, epsilon: numbers(sum, 'offset')[0]};
  return {...node, operator: 'LayerNormalization', args, inputs: [upper.x], weights: []};
};

/** Scale and shift behind a norm are its own: of each channel, and of a layer norm's last axis. */
const normWeights: Rule = (node, view) => {
  if (node.operator !== 'Rescaling') return undefined;
  const norm = view.of(node.inputs[0]);
  const size = view.shape(node.name).at(-1) as number;
  const axes = norm.args.axes as number[] | undefined;
  const ofLast = axes?.length === 1 && axes[0] === view.shape(node.name).length;
  const takes = norm.operator === 'GroupNormalization' || (norm.operator === 'LayerNormalization' && ofLast);
  if (!takes || view.readers(norm.name) !== 1) return undefined;
  const [scale, offset] = [numbers(node, 'scale'), numbers(node, 'offset')];
  const [gamma, beta] = [weightOf(norm, 'gamma')?.data, weightOf(norm, 'beta')?.data];
  const at = (data: Float32Array, index: number) => data[data.length === 1 ? 0 : index];
  const each = (f: (index: number) => number) => Float32Array.from({length: size}, (_, index) => f(index));
  return {
    ...norm,
    weights: [
      vector(
        'gamma',
        each((i) => (gamma?.[i] ?? 1) * at(scale, i)),
      ),
      vector(
        'beta',
        each((i) => (beta?.[i] ?? 0) * at(scale, i) + at(offset, i)),
      ),
    ],
  };
};

/** A constant that is added to what a layer without bias gives, and that nothing else reads, is its bias. */
const biases: Rule = (node, view) => {
  if (node.operator !== 'Rescaling' || !numbers(node, 'scale').every((scale) => scale === 1)) return undefined;
  const layer = view.of(node.inputs[0]);
  const takes = ['Dense', 'Conv2D', 'DepthwiseConv2D', 'Conv2DTranspose'].includes(layer.operator);
  if (!takes || weightOf(layer, 'bias') || view.readers(layer.name) !== 1) return undefined;
  const size = view.shape(layer.name).at(-1) as number;
  const offset = numbers(node, 'offset');
  const bias = offset.length === 1 ? new Float32Array(size).fill(offset[0]) : offset;
  return {...layer, weights: [...layer.weights, vector('bias', bias)]};
};

/** A dense layer that reads pixels channels first: its rows change their order instead of the pixels. */
const flattened: Rule = (node, view) => {
  if (node.operator !== 'Dense') return undefined;
  const flat = view.of(node.inputs[0]);
  if (flat.operator !== 'Reshape' || view.shape(flat.name).length !== 1 || view.readers(flat.name) !== 1)
    return undefined;
  const turned = view.of(flat.inputs[0]);
  if (turned.operator !== 'Permute' || view.readers(turned.name) !== 1) return undefined;
  const order = (turned.args.order as number[]).map((axis) => axis - 1);
  const kernel = weightOf(node, 'kernel') as Weight;
  const sizes = view.shape(turned.name);
  const strides = sizes.map((_, at) => sizes.slice(at + 1).reduce((product, size) => product * size, 1));
  const source = view.shape(turned.inputs[0]);
  const [rows, units] = kernel.shape;
  const data = new Float32Array(kernel.data.length);
  const before: number[] = [];
  for (let to = 0; to < rows; to++) {
    let rest = to;
    let from = 0;
    for (let axis = source.length - 1; axis >= 0; axis--) {
      from += (rest % source[axis]) * strides[order.indexOf(axis)];
      rest = Math.floor(rest / source[axis]);
    }
    data.set(kernel.data.subarray(from * units, (from + 1) * units), to * units);
    before.push(from);
  }
  view.reordered(node.name, before);
  const weights = node.weights.map((weight) => (weight.name === 'kernel' ? {...kernel, data} : weight));
  return [
    {...flat, inputs: turned.inputs},
    {...node, weights},
  ];
};

const ROUNDS: readonly (readonly Rule[])[] = [
  [gelu, gated, layerNorm, biases],
  [rescalings, normWeights, flattened],
];
