/**
 * Layer-wise relevance propagation from its definition: every contribution c_ij = a_i w_ij of an input to an output, one at a time, in float64. The
 * matrix of a linear operator is read off by putting in one value at a time.
 */
import type {Graph, GraphNode} from '../../src/network/graph';
import {SLOW} from './slowOperators';
import {sizeOf, type Values} from './slowValues';

export interface SlowRule {
  rule: 'epsilon' | 'gamma' | 'zPlus';
  epsilon: number;
  gamma?: number;
}

const LINEAR = ['Conv2D', 'DepthwiseConv2D', 'Dense'];
const SUMS = ['Add', 'Average', 'AveragePooling2D', 'GlobalAveragePooling2D', 'BatchNormalization'];
const SAME = ['ReLU', 'Clip', 'Activation'];

const weightsOf = (node: GraphNode) =>
  Object.fromEntries(
    node.weights.map(({name, shape, data}) => [name, {shape, data: Float64Array.from(data)} satisfies Values]),
  );
const apply = (node: GraphNode, inputs: Values[]) => SLOW[node.operator](inputs, node.args, weightsOf(node));
const zeros = ({shape}: Values): Values => ({shape, data: new Float64Array(sizeOf(shape))});

/** All values of a graph, for one image. */
export function slowValuesOf(graph: Graph, given: Record<string, Values>): Record<string, Values> {
  const values = {...given};
  for (const node of graph.nodes)
    values[node.name] ??=
      node.operator === 'Constant'
        ? weightsOf(node).value
        : apply(
            node,
            node.inputs.map((name) => values[name]),
          );
  return values;
}

/** R of each value, from R of the output. */
export function lrpSlowly(
  graph: Graph,
  values: Record<string, Values>,
  relevance: Float64Array,
  ruleOf: (node: GraphNode) => SlowRule,
): Record<string, Float64Array> {
  const found: Record<string, Float64Array> = {};
  for (const {name} of graph.nodes) found[name] = new Float64Array(values[name].data.length);
  found[graph.outputs[0]].set(relevance);
  for (const node of [...graph.nodes].reverse()) {
    const inputs = node.inputs.map((name) => values[name]);
    const own = found[node.name];
    const add = (n: number, i: number, value: number) => (found[node.inputs[n]][i] += value);
    if (SAME.includes(node.operator)) own.forEach((value, i) => add(0, i, value));
    else if (LINEAR.includes(node.operator)) shareOut(contributions(node, inputs), own, ruleOf(node), add);
    else if (SUMS.includes(node.operator))
      shareOut(contributions(node, inputs), own, {rule: 'epsilon', epsilon: 1e-6}, add);
    else if (node.operator === 'Multiply')
      broadcastOnto(node, inputs, own, (n, i, value) => add(n, i, value / inputs.length));
    else if (node.inputs.length > 0) routed(node, inputs, own, add);
  }
  return found;
}

type Add = (input: number, i: number, value: number) => void;
interface Contributions {
  /** c_ij by input, [I][J] */
  of: number[][][];
  /** b_j */
  bias: number[];
}

function contributions(node: GraphNode, inputs: Values[]): Contributions {
  const bias = Array.from(apply(node, inputs.map(zeros)).data);
  const of = inputs.map((input, n) =>
    Array.from(input.data, (a, i) => {
      const alone = inputs.map(zeros);
      alone[n].data[i] = a;
      return Array.from(apply(node, alone).data, (z, j) => z - bias[j]);
    }),
  );
  return {of, bias};
}

function shareOut({of, bias}: Contributions, relevance: Float64Array, rule: SlowRule, add: Add): void {
  relevance.forEach((value, j) => {
    const z = of.flat().reduce((sum, row) => sum + row[j], bias[j]);
    const share = (c: number) => {
      if (rule.rule === 'zPlus') return Math.max(c, 0);
      if (rule.rule === 'epsilon') return c;
      return c + rule.gamma! * (z > 0 ? Math.max(c, 0) : Math.min(c, 0));
    };
    const total = of.flat().reduce((sum, row) => sum + share(row[j]), rule.rule === 'zPlus' ? 0 : share(bias[j]));
    const divisor = total + (total >= 0 ? rule.epsilon : -rule.epsilon);
    of.forEach((rows, n) => rows.forEach((row, i) => add(n, i, (share(row[j]) / divisor) * value)));
  });
}

/** Where each output's value comes from: the first input that, changed, changes it. */
function routed(node: GraphNode, inputs: Values[], relevance: Float64Array, add: Add): void {
  const before = apply(node, inputs).data;
  const taken = new Set<number>();
  inputs.forEach((input, n) =>
    input.data.forEach((a, i) => {
      const changed = inputs.map(({shape, data}) => ({shape, data: data.slice()}));
      changed[n].data[i] = a + 1e-7;
      apply(node, changed).data.forEach((value, j) => {
        if (taken.has(j) || Math.abs(value - before[j]) < 1e-9) return;
        taken.add(j);
        add(n, i, relevance[j]);
      });
    }),
  );
}

/** Each output's relevance to the element of every input that it is computed from. */
function broadcastOnto(node: GraphNode, inputs: Values[], relevance: Float64Array, add: Add): void {
  const sum = {...node, operator: 'Add'};
  inputs.forEach((input, n) =>
    input.data.forEach((_, i) => {
      const alone = inputs.map(zeros);
      alone[n].data[i] = 1;
      apply(sum, alone).data.forEach((hit, j) => hit === 1 && add(n, i, relevance[j]));
    }),
  );
}
