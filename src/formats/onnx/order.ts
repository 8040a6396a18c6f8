/** What a file's nodes are before they are read: functions put in place, what the output needs, in an order that can be computed. */
import {InputError} from '../../common/errors';
import {titleOf} from './call';
import {FOLDS} from './constants';
import {READERS} from './operators';
import type {AttributeMessage, FunctionMessage, GraphMessage, NodeMessage} from './proto';

/** Operators that the reader itself computes: they turn a tensor's shape into known numbers, or choose a branch. */
export const SPECIAL = ['Shape', 'Size', 'If'];

const isPlain = (domain: string) => domain === '' || domain === 'ai.onnx';

/** Names that a node reads, those of its branches included. */
export function readsOf(node: NodeMessage): string[] {
  const inside = node.attribute.flatMap(({g}) => (g ? freeNames(g) : []));
  return [...node.input.filter((name) => name !== ''), ...inside];
}

function freeNames(graph: GraphMessage): string[] {
  const own = new Set([...graph.node.flatMap(({output}) => output), ...graph.initializer.map(({name}) => name)]);
  const read = [...graph.node.flatMap(readsOf), ...graph.output.map(({name}) => name)];
  return read.filter((name) => !own.has(name));
}

/** Nodes with calls of the file's own functions replaced by the nodes of these. */
export function inlined(
  nodes: readonly NodeMessage[],
  functions: readonly FunctionMessage[],
  depth = 0,
): NodeMessage[] {
  if (functions.length === 0) return [...nodes];
  if (depth > 50) throw new InputError('the functions of this ONNX file call each other in a circle; export it again');
  return nodes.flatMap((node) => {
    const called = functions.find(({name, domain}) => name === node.opType && domain === node.domain);
    if (!called) return [node];
    const prefix = `${node.name || node.output[0]}/`;
    const names = new Map<string, string>();
    called.input.forEach((name, at) => names.set(name, node.input[at] ?? ''));
    called.output.forEach((name, at) => names.set(name, node.output[at] ?? `${prefix}${name}`));
    const outside = (name: string) => (name === '' ? '' : (names.get(name) ?? `${prefix}${name}`));
    const body = called.node.map((inner) => ({
      ...inner,
      name: `${prefix}${inner.name}`,
      opType: inner.opType,
      domain: inner.domain,
      metadataProps: inner.metadataProps.length > 0 ? inner.metadataProps : node.metadataProps,
      input: inner.input.map(outside),
      output: inner.output.map(outside),
      attribute: inner.attribute.flatMap((attribute) => given(attribute, node, called)),
    }));
    return inlined(body, functions, depth + 1);
  });
}

/** An attribute of a function's node, which may be that of the call. */
function given(attribute: AttributeMessage, call: NodeMessage, {attributeProto}: FunctionMessage): AttributeMessage[] {
  const wanted = attribute.refAttrName;
  if (!wanted) return [attribute];
  const found = [...call.attribute, ...attributeProto].find(({name}) => name === wanted);
  return found ? [Object.assign(Object.create(found) as AttributeMessage, {name: attribute.name})] : [];
}

/**
 * The nodes that `output` needs, each after those that it reads.
 * @throws InputError for nodes that read each other in a circle, one that reads what nothing computes, and a value that is computed twice
 */
export function ordered(nodes: readonly NodeMessage[], known: ReadonlySet<string>, output: string): NodeMessage[] {
  const makers = new Map<string, NodeMessage>();
  for (const node of nodes) {
    for (const name of node.output.filter((one) => one !== '')) {
      if (makers.has(name) || known.has(name))
        throw new InputError(
          `node ${titleOf(node)} computes "${name}", which is there already; the ONNX file is damaged`,
        );
      makers.set(name, node);
    }
  }
  const state = new Map<NodeMessage, 'open' | 'done'>();
  const result: NodeMessage[] = [];
  const start = makers.get(output);
  if (!start) {
    if (known.has(output))
      throw new InputError(`the output "${output}" is an input or a weight of the network; nothing is computed`);
    throw new InputError(`no node computes the output "${output}"; the ONNX file is damaged`);
  }
  // A stack of our own: networks are deeper than JavaScript's.
  const stack: {node: NodeMessage; reads: string[]}[] = [{node: start, reads: readsOf(start)}];
  state.set(start, 'open');
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const next = top.reads.pop();
    if (next === undefined) {
      state.set(top.node, 'done');
      result.push(top.node);
      stack.pop();
      continue;
    }
    if (known.has(next)) continue;
    const maker = makers.get(next);
    if (!maker)
      throw new InputError(
        `node ${titleOf(top.node)} reads "${next}", which nothing computes; the ONNX file is damaged`,
      );
    if (state.get(maker) === 'open') {
      throw new InputError(
        `node ${titleOf(maker)} depends on itself: the graph of this ONNX file has a circle, so it cannot be computed`,
      );
    }
    if (!state.has(maker)) {
      state.set(maker, 'open');
      stack.push({node: maker, reads: readsOf(maker)});
    }
  }
  const used = new Set(result);
  const inFile = nodes.filter((node) => used.has(node));
  // The file's own order where it is one, as ONNX demands: names and layers then come as their authors know them.
  return isOrdered(inFile, known) ? inFile : result;
}

function isOrdered(nodes: readonly NodeMessage[], known: ReadonlySet<string>): boolean {
  const seen = new Set(known);
  return nodes.every((node) => {
    const ready = readsOf(node).every((name) => seen.has(name));
    for (const name of node.output) seen.add(name);
    return ready;
  });
}

/** Nodes whose values depend on the image. */
export function dependingOn(input: string, nodes: readonly NodeMessage[]): Set<NodeMessage> {
  const names = new Set([input]);
  const found = new Set<NodeMessage>();
  for (const node of nodes) {
    if (!readsOf(node).some((name) => names.has(name))) continue;
    if (isPlain(node.domain) && (node.opType === 'Shape' || node.opType === 'Size')) continue;
    found.add(node);
    for (const name of node.output) names.add(name);
  }
  return found;
}

/** @throws InputError that lists every operator that is not read, with the nodes that are of it */
export function refuseUnknown(nodes: readonly NodeMessage[], depending: ReadonlySet<NodeMessage>): void {
  const unknown = new Map<string, string[]>();
  for (const node of nodes) {
    const table = depending.has(node) ? READERS : FOLDS;
    if (isPlain(node.domain) && (SPECIAL.includes(node.opType) || Object.hasOwn(table, node.opType))) continue;
    const operator = isPlain(node.domain) ? node.opType : `${node.domain}.${node.opType}`;
    unknown.set(operator, [...(unknown.get(operator) ?? []), node.name || node.output[0]]);
  }
  if (unknown.size === 0) return;
  const list = [...unknown].map(([operator, names]) => {
    const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
    return `${operator} (${names.slice(0, 3).join(', ')}${more})`;
  });
  throw new InputError(
    `this network uses ${unknown.size === 1 ? 'an operator that is' : 'operators that are'} not read: ${list.join('; ')}; convolutional classifiers are supported`,
  );
}
