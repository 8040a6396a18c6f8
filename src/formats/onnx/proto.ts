import {createHash} from 'node:crypto';
import {parse, type Type} from 'protobufjs';
import {InputError} from '../../common/errors';
import {ONNX_DEFINITIONS} from './definitions';

/** A 64-bit integer as protobufjs decodes it. */
export type Int64 = number | {toNumber(): number};

export interface TextEntry {
  key: string;
  value: string;
}

export interface TensorMessage {
  name: string;
  dims: Int64[];
  dataType: number;
  rawData: Uint8Array;
  floatData: number[];
  doubleData: number[];
  int32Data: number[];
  int64Data: Int64[];
  uint64Data: Int64[];
  externalData: TextEntry[];
  /** 1: the values lie in another file. */
  dataLocation: number;
}

export interface AttributeMessage {
  name: string;
  refAttrName: string;
  type: number;
  f: number;
  i: Int64;
  s: Uint8Array;
  t: TensorMessage | null;
  g: GraphMessage | null;
  floats: number[];
  ints: Int64[];
  strings: Uint8Array[];
}

export interface NodeMessage {
  name: string;
  opType: string;
  domain: string;
  input: string[];
  output: string[];
  attribute: AttributeMessage[];
  metadataProps: TextEntry[];
}

export interface DimensionMessage {
  dimValue?: Int64;
  dimParam?: string;
}

export interface ValueInfoMessage {
  name: string;
  type: {tensorType?: {elemType: number; shape?: {dim: DimensionMessage[]} | null} | null} | null;
}

export interface GraphMessage {
  name: string;
  node: NodeMessage[];
  initializer: TensorMessage[];
  sparseInitializer: unknown[];
  input: ValueInfoMessage[];
  output: ValueInfoMessage[];
}

export interface FunctionMessage {
  name: string;
  domain: string;
  input: string[];
  output: string[];
  attribute: string[];
  attributeProto: AttributeMessage[];
  node: NodeMessage[];
}

export interface ModelMessage {
  irVersion: Int64;
  producerName: string;
  opsetImport: {domain: string; version: Int64}[];
  graph: GraphMessage | null;
  functions: FunctionMessage[];
  metadataProps: TextEntry[];
}

let modelType: Type | undefined;

function type(): Type {
  return (modelType ??= parse(ONNX_DEFINITIONS).root.lookupType('onnx.ModelProto'));
}

/**
 * The message in an ONNX file. Fields that a file leaves out are empty texts, lists and zeros.
 * @throws InputError for bytes that are no such message
 */
export function decodeModel(bytes: Uint8Array, file: string): ModelMessage & {graph: GraphMessage} {
  let model: ModelMessage;
  try {
    model = type().decode(bytes) as unknown as ModelMessage;
  } catch (error) {
    throw new InputError(
      `"${file}" is not an ONNX file, or it is truncated: ${(error as Error).message}; export it again, or copy the whole file`,
    );
  }
  if (!model.graph || model.graph.node.length === 0 || model.graph.output.length === 0) {
    throw new InputError(`"${file}" is not an ONNX model: it holds no graph with nodes and outputs; export it again`);
  }
  return model as ModelMessage & {graph: GraphMessage};
}

export function encodeModel(model: ModelMessage): Uint8Array {
  return type()
    .encode(model as never)
    .finish();
}

/**
 * SHA-256 of what a graph computes: its nodes, inputs, outputs and weights, wherever the weights lie. Shapes that other programs note of values in
 * between do not count.
 */
export function graphChecksum({node, input, output, initializer}: GraphMessage): string {
  const bare = initializer.map((tensor) => ({
    ...tensor,
    rawData: undefined,
    externalData: undefined,
    dataLocation: undefined,
  }));
  const graph = {node, input, output, initializer: bare} as unknown as GraphMessage;
  const digest = createHash('sha256').update(encodeModel({graph} as ModelMessage));
  for (const {rawData} of initializer) digest.update(rawData);
  return digest.digest('hex');
}

/** As a double: exact for shapes; the largest int64, which means "to the end", stays large. */
export function toNumber(value: Int64): number {
  return typeof value === 'number' ? value : value.toNumber();
}
