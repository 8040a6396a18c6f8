import {InputError} from '../../common/errors';
import {shown, type LayerRecord, type TensorReference, type Topology} from './topology';

/** One use of a layer: number `use` of `record.uses`. */
export interface OrderedUse {
  record: LayerRecord;
  use: number;
}

/**
 * Which use a reference means. Keras counts the uses of a nested model from 1, since its own inputs and outputs are use 0; some
 * versions count them from 0.
 */
export function usesOf({layers, inputs, outputs}: Topology): (tensor: TensorReference) => OrderedUse {
  const records = new Map(layers.map((layer) => [layer.name, layer]));
  const numbers = new Map<string, number[]>();
  const all = [
    ...inputs,
    ...outputs.map(({tensor}) => tensor),
    ...layers.flatMap(({uses}) => uses.flatMap(({tensors}) => tensors)),
  ];
  for (const {layer, node} of all) {
    const known = numbers.get(layer);
    if (known) known.push(node);
    else numbers.set(layer, [node]);
  }
  const offsets = new Map<string, number>();
  for (const {name, inner, uses} of layers) {
    const found = numbers.get(name) ?? [0];
    let least = Infinity;
    let most = 0;
    for (const node of found) {
      least = Math.min(least, node);
      most = Math.max(most, node);
    }
    offsets.set(name, inner && least > 0 && most >= uses.length ? 1 : 0);
  }
  return ({layer, node}) => {
    const record = records.get(layer) as LayerRecord;
    const use = node - (offsets.get(layer) as number);
    const count = record.className === 'InputLayer' ? 1 : record.uses.length;
    if (use < 0 || use >= count) {
      throw new InputError(
        `the network's description is damaged: use ${node} of layer ${shown(layer)} is read, and it has ${count}; export the model again`,
      );
    }
    return {record, use};
  };
}

/**
 * The uses that the outputs need, each after what it reads, else in the file's order.
 * @throws InputError for a layer that reads its own output
 */
export function orderedUses(topology: Topology): OrderedUse[] {
  const find = usesOf(topology);
  const keyOf = ({record, use}: OrderedUse) => `${use} ${record.name}`;
  const readsOf = ({record, use}: OrderedUse) =>
    record.className === 'InputLayer' ? [] : record.uses[use].tensors.map(find);
  const needed = new Set<string>();
  const queue = topology.outputs.map(({tensor}) => find(tensor));
  for (let next = queue.pop(); next; next = queue.pop()) {
    if (needed.has(keyOf(next))) continue;
    needed.add(keyOf(next));
    queue.push(...readsOf(next));
  }
  const state = new Map<string, 'open' | 'done'>();
  const ordered: OrderedUse[] = [];
  const visit = (start: OrderedUse) => {
    const stack = [{item: start, reads: readsOf(start), at: 0}];
    if (state.has(keyOf(start))) return;
    state.set(keyOf(start), 'open');
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.at === top.reads.length) {
        state.set(keyOf(top.item), 'done');
        ordered.push(top.item);
        stack.pop();
        continue;
      }
      const read = top.reads[top.at++];
      const known = state.get(keyOf(read));
      if (known === 'open') {
        throw new InputError(
          `the network's description is damaged: layer ${shown(read.record.name)} reads its own output; export the model again`,
        );
      }
      if (known === 'done') continue;
      state.set(keyOf(read), 'open');
      stack.push({item: read, reads: readsOf(read), at: 0});
    }
  };
  for (const record of topology.layers) {
    const count = record.className === 'InputLayer' ? 1 : record.uses.length;
    for (let use = 0; use < count; use++) if (needed.has(keyOf({record, use}))) visit({record, use});
  }
  return ordered;
}
