import {InputError} from '../common/errors';
import {option} from '../common/options';
import {bypass, freshName, nodeOf, upTo, type Graph, type GraphNode} from './graph';
import {shapesOf} from './operators';

/** Operators that only name the same values' axes anew. */
const SHAPE_ONLY = new Set(['Reshape', 'Permute']);

/** A classifier up to its logits: what precedes any final squashing. */
export interface Logits {
  graph: Graph;
  /** K, the number of logits. */
  classes: number;
}

/** Functions that turn logits into probabilities, each rising with its logit (softmax: with the others held). */
function squashes({operator, args}: GraphNode): boolean {
  if (operator === 'Softmax' || operator === 'LogSoftmax' || operator === 'HardSigmoid') return true;
  return operator === 'Activation' && (args.activation === 'sigmoid' || args.activation === 'log_sigmoid');
}

/**
 * The graph without a final softmax, log-softmax, sigmoid or hard sigmoid, also where a reshape follows it. One sigmoid output z
 * is two classes with logits (0, z), since σ(z) is the softmax of these.
 * @param name of the model, for the error
 * @throws InputError for a single output without a final sigmoid: no two classes; for a map with its positions in a row
 */
export function logitsOf(graph: Graph, name = 'the network'): Logits {
  const pruned = upTo(graph, graph.outputs);
  let last = nodeOf(pruned, pruned.outputs[0]);
  while (SHAPE_ONLY.has(last.operator)) last = nodeOf(pruned, last.inputs[0]);
  const squashed = squashes(last);
  const stripped = squashed ? bypass(pruned, last.name, last.inputs[0]) : pruned;
  const end = stripped.outputs[0];
  const shapes = shapesOf(stripped);
  const shape = shapes.get(end) as number[];
  refuseMaps(stripped, shapes, name);
  const classes = shape.reduce((product, size) => product * size, 1);
  if (classes > 1) return {graph: stripped, classes};
  if (!squashed || last.operator === 'Softmax' || last.operator === 'LogSoftmax') {
    throw new InputError(
      `${name} has one output ${squashed ? 'behind a softmax, which is always 1' : 'without a final sigmoid'}; a classifier with at least 2 classes, or with one sigmoid output for two, is needed`,
    );
  }
  return {graph: withZeroLogit(stripped, end, shape), classes: 2};
}

/** Scores of a segmenter or a detector, positions in a row, would count as classes. */
function refuseMaps(graph: Graph, shapes: ReadonlyMap<string, readonly number[]>, name: string): void {
  let source = nodeOf(graph, graph.outputs[0]);
  while (SHAPE_ONLY.has(source.operator)) source = nodeOf(graph, source.inputs[0]);
  const [height, width = 1, channels] = shapes.get(source.name) as readonly number[];
  if (channels === undefined || height * width === 1) return;
  throw new InputError(
    `the output of ${name} is a map of ${height} × ${width} positions with ${channels} ${channels === 1 ? 'score' : 'scores'} each (${source.name}), as of a segmenter or a detector: not one score for each class; a classifier is needed, or choose another output (${option('output')})`,
  );
}

/** The graph up to its logits; see {@link logitsOf}. */
export function logitsGraph(graph: Graph): Graph {
  return logitsOf(graph).graph;
}

/** Behind a single value z the pair (0, z), as a dense layer with the fixed kernel [0, 1]. */
function withZeroLogit(graph: Graph, end: string, shape: readonly number[]): Graph {
  const mark = {kind: 'generated' as const, of: end};
  const flat: GraphNode[] =
    shape.length === 1
      ? []
      : [
          {
            name: freshName(graph, `${end}_flat`),
            operator: 'Reshape',
            args: {shape: [1]},
            inputs: [end],
            weights: [],
            mark,
          },
        ];
  const pair: GraphNode = {
    name: freshName(graph, `${end}_pair`),
    operator: 'Dense',
    args: {},
    inputs: [flat[0]?.name ?? end],
    weights: [{name: 'kernel', shape: [1, 2], data: Float32Array.of(0, 1)}],
    mark,
  };
  return {nodes: [...graph.nodes, ...flat, pair], inputs: graph.inputs, outputs: [pair.name]};
}
