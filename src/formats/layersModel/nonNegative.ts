import type {Graph, GraphNode} from '../../network/graph';

const BOUNDED_BELOW = new Set(['sigmoid', 'exponential', 'softplus', 'abs', 'square', 'sqrt']);
/** Give no value that is below all of their inputs' and below 0. */
const KEEP_SIGN = new Set([
  'MaxPooling2D',
  'AveragePooling2D',
  'GlobalAveragePooling2D',
  'GlobalMaxPooling2D',
  'Mean',
  'Max',
  'Sum',
  'Concatenate',
  'Slice',
  'Reshape',
  'Permute',
  'Resize',
  'Add',
  'Multiply',
  'Average',
  'Maximum',
  'Minimum',
]);

/** Nodes whose values are never below 0, whatever the image: zeros are then as good a padding for a maximum as −∞. */
export function nonNegativeNodes({nodes}: Graph): ReadonlySet<string> {
  const found = new Set<string>();
  for (const node of nodes) if (isNonNegative(node, found)) found.add(node.name);
  return found;
}

function isNonNegative({operator, args, inputs}: GraphNode, known: ReadonlySet<string>): boolean {
  if (operator === 'ReLU') return args.negativeSlope === 0 && (args.threshold as number) >= 0;
  if (operator === 'Clip') return typeof args.min === 'number' && args.min >= 0;
  if (operator === 'HardSigmoid' || operator === 'Softmax') return true;
  if (operator === 'Activation') return BOUNDED_BELOW.has(args.activation as string);
  if (operator === 'Pad') return args.mode !== 'constant' || (args.value as number) >= 0 ? known.has(inputs[0]) : false;
  return KEEP_SIGN.has(operator) && inputs.every((input) => known.has(input));
}
