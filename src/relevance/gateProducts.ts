import * as tf from '@tensorflow/tfjs-core';
import type {Firing} from '../network/firing';
import {asPositions, type LinearLayer} from '../network/linearLayer';
import type {NetworkAtLayer} from '../network/networkAtLayer';
import type {LayerBatch} from '../pass/types';
import {padded, spans, tapInputs} from './gateWindows';

/** What of a batch the gated sums are made of, on the engine. */

/** Images of one half and class, or of one half with those channels alone that are below the floor. */
interface Group {
  half: number;
  class: number;
  images: number[];
}

/**
 * Sums of one batch, group by group: activityᵀ·X for each tap, times the tap's weights. Call it inside a tidy.
 * @returns [groups · Cout, Cin] and [2, groups · Cout], and which rows they are
 */
export function measureGates(batch: LayerBatch, firing: Firing, floor: number): Record<keyof Products, tf.Tensor> {
  const {layer, labels, halves, network} = batch;
  const [, , inputs, outputs] = layer.shape;
  const activity = firingActivity(batch.output(), firing); // [B, P, Cout]
  const all = groupsOf(labels, halves);
  if (floor === 0 && all.length * FEW_GROUPS <= labels.length && hasFilterGradient(layer))
    return productsOfGroups(batch, activity, all);
  if (floor === 0 && labels.length * layer.kernel.length <= AT_ONCE) return productsAtOnce(batch, activity, all);
  const taps = tapInputs(layer, batch.input()); // taps of [B, P, Cin]
  const weights = kept(network, 'weights by tap', ({kernel, shape}) =>
    tf.transpose(tf.tensor3d(kernel, [taps.length, shape[2], shape[3]]), [0, 2, 1]),
  ); // [taps, Cout, Cin]
  const parts: Products[] = [];
  const gather = (group: Group, mask?: tf.Tensor) => {
    const images = tf.tensor1d(group.images, 'int32');
    const own = tf.gather(mask ? tf.mul(activity, mask) : activity, images) as tf.Tensor3D; // [n, P, Cout]
    const flat = tf.reshape(own, [-1, outputs]) as tf.Tensor2D; // [n·P, Cout]
    let sums: tf.Tensor | undefined;
    taps.forEach((tap, at) => {
      const x = tf.reshape(tf.gather(tap, images), [-1, inputs]) as tf.Tensor2D; // [n·P, Cin]
      const product = tf.mul(tf.matMul(flat, x, true), tapOf(weights, at)); // [Cout, Cin]
      sums = sums ? tf.add(sums, product) : product;
    });
    const counts = tf.stack([tf.sum(flat, 0), tf.sum(tf.sign(tf.max(own, 1)), 0)]); // [2, Cout]
    parts.push({rows: rowsOf([group], outputs), counts, sums: sums!});
  };
  if (floor > 0) {
    parts.push(productsOfPairs(activity, taps, weights, batch, floor));
    const others = othersMask(batch.shares(), floor, labels.length, outputs); // [B, 1, Cout]
    for (const half of [0, 1]) {
      const images = Array.from(halves).flatMap((value, image) => (value === half ? [image] : []));
      if (images.length > 0) gather({half, class: -1, images}, others);
    }
  } else {
    for (const group of all) gather(group);
  }
  return {
    rows: tf.concat(
      parts.map(({rows}) => rows),
      1,
    ),
    counts: tf.concat(
      parts.map(({counts}) => counts),
      1,
    ),
    sums: tf.concat(
      parts.map(({sums}) => sums),
      0,
    ),
  };
}

/** Half, class and channel of each row, [3, E]; activity and images in which the channel fires, [2, E]; contributions, [E, Cin]. */
interface Products {
  rows: tf.Tensor;
  counts: tf.Tensor;
  sums: tf.Tensor;
}

/** The layer's weights in the order that products want, on the engine as long as the network is. */
function kept<T extends tf.Tensor>(network: NetworkAtLayer, what: string, make: (layer: LinearLayer) => T): T {
  return network.once(what, () => tf.keep(tf.tidy(() => make(network.layer))));
}

/** Of [taps, Cout, Cin], one tap's. */
const tapOf = (weights: tf.Tensor3D, tap: number) =>
  weights.shape[0] === 1 ? tf.squeeze(weights, [0]) : tf.gather(weights, tap);

/**
 * Sums of the pairs of image and channel whose share reaches the floor, few of many: a row for each half, class and channel among them, or where the
 * engine cannot add rows up by number, for each pair.
 */
function productsOfPairs(
  activity: tf.Tensor3D,
  taps: tf.Tensor3D[],
  weights: tf.Tensor3D,
  {labels, halves, shares}: LayerBatch,
  floor: number,
): Products {
  const [batch, positions, outputs] = activity.shape;
  const inputs = taps[0].shape[2];
  const values = shares();
  const channels = Array.from({length: batch}, (_, b) => importantChannels(values, floor, b * outputs, outputs));
  const most = Math.max(1, ...channels.map(({length}) => length));
  const adds = tf.getKernel(tf.UnsortedSegmentSum, tf.getBackend()) !== undefined;
  // Of each pair: where its activity stands, the row that it adds to, 1; images with fewer pairs than others are filled up with zeros.
  const [places, ids] = [new Int32Array(batch * most), new Int32Array(batch * most)];
  const valid = new Float32Array(batch * most);
  const known = new Map<string, number>();
  const rows: [number[], number[], number[]] = [[], [], []];
  for (let pair = 0; pair < places.length; pair++) {
    const b = Math.floor(pair / most);
    const c = channels[b][pair % most] ?? 0;
    const key = `${halves[b]},${labels[b]},${c}`;
    const row = (adds ? known.get(key) : undefined) ?? rows[0].length;
    if (row === rows[0].length) [halves[b], labels[b], c].forEach((value, n) => rows[n].push(value));
    known.set(key, row);
    places[pair] = b * outputs + c;
    ids[pair] = row;
    valid[pair] = pair % most < channels[b].length ? 1 : 0;
  }
  const flat = tf.reshape(tf.transpose(activity, [0, 2, 1]), [batch * outputs, positions]);
  const chosen = tf.mul(tf.gather(flat, tf.tensor1d(places)), tf.tensor2d(valid, [places.length, 1])); // [B·Q, P]
  const byImage = tf.reshape(chosen, [batch, most, positions]);
  const own = tf.tensor1d(Int32Array.from(rows[2]));
  const added = <T extends tf.Tensor>(each: T) =>
    adds ? tf.unsortedSegmentSum(each, tf.tensor1d(ids), rows[0].length) : each;
  let sums: tf.Tensor | undefined;
  taps.forEach((tap, n) => {
    const products = added(tf.reshape(tf.matMul(byImage, tap), [batch * most, inputs])); // [R, Cin]
    const weighted = tf.mul(products, tf.gather(tapOf(weights, n), own)); // [R, Cin]
    sums = sums ? tf.add(sums, weighted) : weighted;
  });
  const counts = tf.stack([tf.sum(chosen, 1), tf.sign(tf.max(chosen, 1))], 1); // [B·Q, 2]
  return {
    rows: tf.tensor2d(Int32Array.from(rows.flat()), [3, rows[0].length]),
    counts: tf.transpose(added(counts)),
    sums: sums!,
  };
}

/** Channels of one image whose shares, from `from` on, reach the floor. */
function importantChannels(shares: ArrayLike<number>, floor: number, from: number, outputs: number): number[] {
  const channels: number[] = [];
  for (let c = 0; c < outputs; c++) if (shares[from + c] >= floor) channels.push(c);
  return channels;
}

/** Values that products of all images may have at once; beyond it groups are gone through one by one. */
const AT_ONCE = 2 ** 24;

/** The same sums, by one product of all images and one of the groups: small layers are a matter of few operations. */
function productsAtOnce(
  {layer, input, network}: LayerBatch,
  activity: tf.Tensor3D,
  groups: readonly Group[],
): Products {
  const [batch, , outputs] = activity.shape;
  const inputs = layer.shape[2];
  const taps = tapInputs(layer, input());
  const weights = kept(network, 'weights by channel', ({kernel, shape}) =>
    tf.transpose(tf.tensor3d(kernel, [taps.length, shape[2], shape[3]]), [2, 0, 1]),
  ); // [Cout, taps, Cin]
  const x = taps.length === 1 ? taps[0] : tf.concat(taps, 2); // [B, P, taps·Cin]
  const products = tf.reshape(tf.matMul(activity, x, true), [batch, -1]) as tf.Tensor2D; // [B, Cout·taps·Cin]
  const shape = [groups.length, outputs, taps.length, inputs];
  const sums = tf.reshape(tf.matMul(membership(groups, batch), products), shape); // [G, Cout, taps, Cin]
  return withRows(groups, activity, tf.reshape(tf.sum(tf.mul(sums, weights), 2), [-1, inputs]));
}

/**
 * The same of few groups, as in a list that is sorted by class: activityᵀ·X for all taps is what a convolution's kernel has for gradient, which native
 * TensorFlow computes without a copy of X for each tap.
 */
function productsOfGroups(
  {layer, input, network}: LayerBatch,
  activity: tf.Tensor3D,
  groups: readonly Group[],
): Products {
  const {shape, strides} = layer;
  const [, , inputs, outputs] = shape;
  const x = asPositions(input());
  const [rows, columns] = spans(layer, x);
  const order = tf.tensor1d(
    groups.flatMap(({images}) => images),
    'int32',
  );
  const seen = tf.gather(padded(x, rows, columns), order);
  const size = [activity.shape[0], rows.output, columns.output, outputs] as [number, number, number, number];
  const dy = tf.gather(tf.reshape(activity, size), order); // [B, H', W', Cout]
  const weights = kept(network, 'weights as they are', (own) => tf.tensor4d(own.kernel, shape)); // [kh, kw, Cin, Cout]
  let from = 0;
  const sums = groups.map(({images: {length}}) => {
    const [own, ownDy] = [seen, dy].map((tensor) => tf.slice(tensor, [from, 0, 0, 0], [length, -1, -1, -1]));
    from += length;
    const attributes = {strides, pad: 'valid', dataFormat: 'NHWC', filterShape: shape};
    const gradient = tf.engine().runKernel(tf.Conv2DBackpropFilter, {x: own, dy: ownDy}, attributes as tf.NamedAttrMap);
    return tf.transpose(tf.sum(tf.mul(gradient as tf.Tensor, weights), [0, 1])); // [Cout, Cin]
  });
  return withRows(groups, activity, tf.reshape(tf.concat(sums, 0), [-1, inputs]));
}

/** Where a batch has at most one group for so many images. */
const FEW_GROUPS = 4;

const hasFilterGradient = ({dilation}: LinearLayer) =>
  tf.getBackend() === 'tensorflow' && dilation.every((distance) => distance === 1);

/** Sums [G · Cout, Cin] with their counts, and which rows they are. */
function withRows(groups: readonly Group[], activity: tf.Tensor3D, sums: tf.Tensor): Products {
  const [batch, , outputs] = activity.shape;
  const into = membership(groups, batch);
  const counts = [tf.sum(activity, 1), tf.sign(tf.max(activity, 1))].map((one) =>
    tf.reshape(tf.matMul(into, one as tf.Tensor2D), [1, -1]),
  ); // [1, G·Cout]
  return {rows: rowsOf(groups, outputs), counts: tf.concat(counts, 0), sums};
}

/** 1 where an image belongs to a group, [G, B]. */
function membership(groups: readonly Group[], batch: number): tf.Tensor2D {
  const member = new Float32Array(groups.length * batch);
  groups.forEach(({images}, g) => images.forEach((image) => (member[g * batch + image] = 1)));
  return tf.tensor2d(member, [groups.length, batch]);
}

/** Half, class and channel of the groups' rows, one for each channel, [3, G · Cout]. */
function rowsOf(groups: readonly Group[], outputs: number): tf.Tensor {
  const length = groups.length * outputs;
  const rows = new Int32Array(3 * length);
  groups.forEach((group, g) => {
    const [from, to] = [g * outputs, (g + 1) * outputs];
    rows.fill(group.half, from, to).fill(group.class, length + from, length + to);
    for (let c = 0; c < outputs; c++) rows[2 * length + from + c] = c;
  });
  return tf.tensor2d(rows, [3, length]);
}

function groupsOf(labels: ArrayLike<number>, halves: ArrayLike<number>): Group[] {
  const groups = new Map<string, Group>();
  for (let image = 0; image < labels.length; image++) {
    const key = `${halves[image]},${labels[image]}`;
    const group = groups.get(key) ?? {half: halves[image], class: labels[image], images: []};
    group.images.push(image);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** How far a channel is beyond its threshold, 0 where it does not fire, [B, P, Cout]. */
function firingActivity(z: tf.Tensor4D, {sign, threshold}: Firing): tf.Tensor3D {
  const [batch, height, width, outputs] = z.shape;
  const beyond = tf.relu(tf.mul(tf.sub(z, tf.tensor1d(threshold)), tf.tensor1d(sign)));
  return tf.reshape(beyond, [batch, height * width, outputs]);
}

/** 1 where an image's share is below the floor, [B, 1, Cout]. */
function othersMask(shares: ArrayLike<number>, floor: number, images: number, outputs: number): tf.Tensor3D {
  const mask = Float32Array.from({length: images * outputs}, (_, at) => (shares[at] >= floor ? 0 : 1));
  return tf.tensor3d(mask, [images, 1, outputs]);
}
