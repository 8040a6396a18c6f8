/** Any network as ONNX: images [batch, channels, height, width], operator set 17. */
import {InputError} from '../../common/errors';
import {shapesOf} from '../../network/operators';
import type {Model} from '../../network/types';
import {floatTensor} from './divide';
import {EXPORTS} from './exportOperators';
import type {Writer} from './exportWriter';
import type {OnnxModel} from './file';
import {MAIN} from './names';
import type {AttributeMessage, NodeMessage, TensorMessage} from './proto';

export function attributeMessage(name: string, value: number | number[] | string): AttributeMessage {
  if (typeof value === 'string')
    return {name, type: 3, s: new TextEncoder().encode(value)} as unknown as AttributeMessage;
  if (Array.isArray(value)) return {name, type: 7, ints: value} as unknown as AttributeMessage;
  // ONNX tells whole numbers from others; names of the latter are few.
  const isFloat = ['alpha', 'beta', 'epsilon', 'gamma'].includes(name);
  return (isFloat ? {name, type: 1, f: value} : {name, type: 2, i: value}) as unknown as AttributeMessage;
}

/** @throws InputError for a node that ONNX's operators do not express */
export function exportedModel({graph, name, inputShape}: Model): OnnxModel {
  const shapes = shapesOf(graph);
  const nodes: NodeMessage[] = [];
  const initializer: TensorMessage[] = [];
  const [height, width, channels] = inputShape;
  for (const node of graph.nodes) {
    if (node.operator === 'InputLayer') continue;
    const write = EXPORTS[node.operator];
    if (!write)
      throw new InputError(
        `node "${node.name}" is a ${node.operator}, which is not written to ONNX; save a LayersModel instead`,
      );
    let helpers = 0;
    const first = nodes.length;
    const writer: Writer = {
      node,
      shapeOf: (of) => shapes.get(of) as number[],
      isConstant: (of) => graph.nodes.some(({name: one, operator}) => one === of && operator === 'Constant'),
      image: graph.inputs[0],
      emit(opType, inputs, attributes = {}, output = `${node.name}/${opType}_${(helpers += 1)}`) {
        const attribute = Object.entries(attributes).map(([key, value]) => attributeMessage(key, value));
        nodes.push({name: output, opType, domain: '', input: inputs, output: [output], attribute, metadataProps: []});
        return output;
      },
      weight(suffix, shape, data) {
        initializer.push(floatTensor(`${node.name}.${suffix}`, shape, data));
        return `${node.name}.${suffix}`;
      },
      whole(values) {
        const own = `${node.name}.numbers_${(helpers += 1)}`;
        const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
        initializer.push({name: own, dims: [values.length], dataType: 7, rawData} as unknown as TensorMessage);
        return own;
      },
    };
    write(writer);
    const made = nodes.slice(first);
    // Read again, the node is called after the one that is its core.
    const core = made.find(({opType}) => MAIN.includes(opType)) ?? made[made.length - 1];
    core.metadataProps.push({key: 'unweave.name', value: node.name});
    for (const one of made) {
      if (node.mark?.kind === 'merge' && node.mark.of !== undefined)
        one.metadataProps.push({key: 'unweave.merge', value: node.mark.of});
    }
  }
  const valueInfo = (of: string, sizes: readonly number[]) => ({
    name: of,
    type: {tensorType: {elemType: 1, shape: {dim: [{dimParam: 'batch'}, ...sizes.map((dimValue) => ({dimValue}))]}}},
  });
  const [output] = graph.outputs;
  const scores = shapes.get(output) as number[];
  const shape = scores.length === 3 ? [scores[2], scores[0], scores[1]] : scores;
  return {
    irVersion: 8,
    producerName: 'unweave',
    opsetImport: [{domain: '', version: 17}],
    functions: [],
    metadataProps: [],
    graph: {
      name,
      node: nodes,
      initializer,
      sparseInitializer: [],
      input: [valueInfo(graph.inputs[0], [channels, height, width])],
      output: [valueInfo(output, shape)],
    },
  };
}
