import * as tf from '@tensorflow/tfjs-core';
import type {Firing} from '../network/firing';
import {asPositions, windowsOf, type LinearLayer} from '../network/linearLayer';
import type {LayerBatch} from '../pass/types';

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
export function measureGates(
  batch: LayerBatch,
  firing: Firing,
  floor: number,
): {rows: tf.Tensor; counts: tf.Tensor; sums: tf.Tensor} {
  const {layer, labels, halves} = batch;
  const [, , inputs, outputs] = layer.shape;
  const activity = firingActivity(batch.output(), firing); // [B, P, Cout]
  const all = groupsOf(labels, halves);
  if (floor === 0 && all.length * FEW_GROUPS <= labels.length && hasFilterGradient(layer))
    return productsOfGroups(batch, activity, all);
  const taps = tapInputs(layer, batch.input()); // taps of [B, P, Cin]
  const weights = tf.reshape(tf.tensor1d(layer.kernel), [taps.length, inputs, outputs]); // [taps, Cin, Cout]
  if (floor === 0 && labels.length * outputs * taps.length * inputs <= AT_ONCE)
    return productsAtOnce(activity, taps, weights, all);
  const important = floor > 0 ? importantMask(batch.shares(), floor, labels.length, outputs) : undefined; // [B, 1, Cout]
  const rows: number[][] = [[], [], []];
  const counts: tf.Tensor[] = [];
  const sums: tf.Tensor[] = [];
  const gather = (group: Group, mask?: tf.Tensor) => {
    const images = tf.tensor1d(group.images, 'int32');
    const own = tf.gather(mask ? tf.mul(activity, mask) : activity, images) as tf.Tensor3D; // [n, P, Cout]
    const flat = tf.reshape(own, [-1, outputs]) as tf.Tensor2D; // [n·P, Cout]
    let total: tf.Tensor | undefined;
    taps.forEach((tap, at) => {
      const x = tf.reshape(tf.gather(tap, images), [-1, inputs]) as tf.Tensor2D; // [n·P, Cin]
      const product = tf.mul(tf.matMul(flat, x, true), tf.transpose(tf.gather(weights, at))); // [Cout, Cin]
      total = total ? tf.add(total, product) : product;
    });
    sums.push(total!);
    counts.push(tf.stack([tf.sum(flat, 0), tf.sum(tf.sign(tf.max(own, 1)), 0)])); // [2, Cout]
    for (let c = 0; c < outputs; c++) [group.half, group.class, c].forEach((value, n) => rows[n].push(value));
  };
  if (important) {
    const chosen = productsOfPairs(activity, taps, weights, batch, floor);
    chosen.rows.forEach((values, n) => values.forEach((value) => rows[n].push(value)));
    counts.push(chosen.counts);
    sums.push(chosen.sums);
    const others = tf.sub(1, important);
    for (const half of [0, 1]) {
      const images = Array.from(halves).flatMap((value, image) => (value === half ? [image] : []));
      if (images.length > 0) gather({half, class: -1, images}, others);
    }
  } else {
    for (const group of all) gather(group);
  }
  return {
    rows: tf.tensor2d(rows, [3, rows[0].length], 'int32'),
    counts: tf.concat(counts, 1),
    sums: tf.concat(sums, 0),
  };
}

/** Sums of the pairs of image and channel whose share reaches the floor: few of many, a row each. */
function productsOfPairs(
  activity: tf.Tensor3D,
  taps: tf.Tensor3D[],
  weights: tf.Tensor,
  {labels, halves, shares}: LayerBatch,
  floor: number,
): {rows: number[][]; counts: tf.Tensor; sums: tf.Tensor} {
  const [batch, positions, outputs] = activity.shape;
  const inputs = taps[0].shape[2];
  const values = shares();
  const channels = Array.from({length: batch}, (_, b) =>
    Array.from({length: outputs}, (_unused, c) => c).filter((c) => values[b * outputs + c] >= floor),
  );
  const most = Math.max(1, ...channels.map(({length}) => length));
  const at = (b: number, n: number) => channels[b][n] ?? 0;
  const each = <T>(value: (b: number, n: number) => T) =>
    Array.from({length: batch * most}, (_, row) => value(Math.floor(row / most), row % most));
  const own = tf.tensor1d(each(at), 'int32'); // [B·Q]
  const valid = tf.tensor2d(
    each((b, n) => (n < channels[b].length ? 1 : 0)),
    [batch * most, 1],
  );
  const flat = tf.reshape(tf.transpose(activity, [0, 2, 1]), [batch * outputs, positions]);
  const places = tf.tensor1d(
    each((b, n) => b * outputs + at(b, n)),
    'int32',
  );
  const chosen = tf.mul(tf.gather(flat, places), valid); // [B·Q, P]
  const byImage = tf.reshape(chosen, [batch, most, positions]);
  let sums: tf.Tensor | undefined;
  taps.forEach((tap, n) => {
    const product = tf.reshape(tf.matMul(byImage, tap), [batch * most, inputs]);
    const weighted = tf.mul(product, tf.gather(tf.transpose(tf.gather(weights, n)), own)); // [B·Q, Cin]
    sums = sums ? tf.add(sums, weighted) : weighted;
  });
  return {
    rows: [each((b) => halves[b]), each((b) => labels[b]), each(at)],
    counts: tf.stack([tf.sum(chosen, 1), tf.sign(tf.max(chosen, 1))]), // [2, B·Q]
    sums: sums!,
  };
}

/** Values that products of all images may have at once; beyond it groups are gone through one by one. */
const AT_ONCE = 2 ** 24;

/** The same sums, by one product of all images and one of the groups: small layers are a matter of few operations. */
function productsAtOnce(activity: tf.Tensor3D, taps: tf.Tensor3D[], weights: tf.Tensor, groups: readonly Group[]) {
  const [batch, , outputs] = activity.shape;
  const inputs = taps[0].shape[2];
  const member = new Float32Array(groups.length * batch);
  groups.forEach(({images}, g) => images.forEach((image) => (member[g * batch + image] = 1)));
  const into = tf.tensor2d(member, [groups.length, batch]);
  const x = taps.length === 1 ? taps[0] : tf.concat(taps, 2); // [B, P, taps·Cin]
  const products = tf.reshape(tf.matMul(activity, x, true), [batch, -1]) as tf.Tensor2D; // [B, Cout·taps·Cin]
  const sums = tf.reshape(tf.matMul(into, products), [-1, outputs, taps.length, inputs]); // [G, Cout, taps, Cin]
  const weighted = tf.mul(sums, tf.transpose(weights, [2, 0, 1])); // [G, Cout, taps, Cin]
  return withRows(groups, activity, tf.reshape(tf.sum(weighted, 2), [-1, inputs]));
}

/**
 * The same of few groups, as in a list that is sorted by class: activityᵀ·X for all taps is what a convolution's kernel has for gradient, which native
 * TensorFlow computes without a copy of X for each tap.
 */
function productsOfGroups({layer, input}: LayerBatch, activity: tf.Tensor3D, groups: readonly Group[]) {
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
  const kernel = tf.tensor4d(layer.kernel, shape); // [kh, kw, Cin, Cout]
  let from = 0;
  const sums = groups.map(({images: {length}}) => {
    const [own, ownDy] = [seen, dy].map((tensor) => tf.slice(tensor, [from, 0, 0, 0], [length, -1, -1, -1]));
    from += length;
    const attributes = {strides, pad: 'valid', dataFormat: 'NHWC', filterShape: shape};
    const gradient = tf.engine().runKernel(tf.Conv2DBackpropFilter, {x: own, dy: ownDy}, attributes as tf.NamedAttrMap);
    return tf.transpose(tf.sum(tf.mul(gradient as tf.Tensor, kernel), [0, 1])); // [Cout, Cin]
  });
  return withRows(groups, activity, tf.reshape(tf.concat(sums, 0), [-1, inputs]));
}

/** Where a batch has at most one group for so many images. */
const FEW_GROUPS = 4;

const hasFilterGradient = ({dilation}: LinearLayer) =>
  tf.getBackend() === 'tensorflow' && dilation.every((distance) => distance === 1);

/** Sums [G · Cout, Cin] with their counts, and which rows they are. */
function withRows(groups: readonly Group[], activity: tf.Tensor3D, sums: tf.Tensor) {
  const [batch, , outputs] = activity.shape;
  const member = new Float32Array(groups.length * batch);
  groups.forEach(({images}, g) => images.forEach((image) => (member[g * batch + image] = 1)));
  const into = tf.tensor2d(member, [groups.length, batch]);
  const counts = [tf.sum(activity, 1), tf.sign(tf.max(activity, 1))].map((one) =>
    tf.reshape(tf.matMul(into, one as tf.Tensor2D), [1, -1]),
  ); // [1, G·Cout]
  const rows = [
    groups.flatMap(({half}) => new Array<number>(outputs).fill(half)),
    groups.flatMap((group) => new Array<number>(outputs).fill(group.class)),
    groups.flatMap(() => Array.from({length: outputs}, (_, c) => c)),
  ];
  return {rows: tf.tensor2d(rows, [3, rows[0].length], 'int32'), counts: tf.concat(counts, 0), sums};
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

/** 1 where an image's share reaches the floor, [B, 1, Cout]. */
function importantMask(shares: ArrayLike<number>, floor: number, images: number, outputs: number): tf.Tensor3D {
  const mask = Float32Array.from({length: images * outputs}, (_, at) => (shares[at] >= floor ? 1 : 0));
  return tf.tensor3d(mask, [images, 1, outputs]);
}

/** What each tap reads at every output position, [B, P, Cin] each; zeros where it falls on padding. */
function tapInputs(layer: LinearLayer, input: tf.Tensor): tf.Tensor3D[] {
  const x = asPositions(input); // [B, H, W, Cin]
  const [batch, , , channels] = x.shape;
  const {strides, dilation, shape} = layer;
  const [rows, columns] = spans(layer, x);
  const all = padded(x, rows, columns);
  const tapsAlong = (axis: 0 | 1) => Array.from({length: shape[axis]}, (_, tap) => tap * dilation[axis]);
  return tapsAlong(0).flatMap((top) =>
    tapsAlong(1).map((left) => {
      const from = [0, top, left, 0];
      const size = [batch, rows.seen, columns.seen, channels];
      const to = from.map((start, axis) => start + size[axis]);
      const whole = size.every((length, axis) => length === all.shape[axis]);
      const seen = whole
        ? all
        : strides.every((stride) => stride === 1)
          ? tf.slice(all, from, size)
          : tf.stridedSlice(all, from, to, [1, ...strides, 1]);
      return tf.reshape(seen, [batch, rows.output * columns.output, channels]) as tf.Tensor3D;
    }),
  );
}

/** Along an axis: positions of the output, how far they reach, and what a tap sees of padding before and after the input. */
interface Span {
  output: number;
  seen: number;
  before: number;
  after: number;
}

function spans(layer: LinearLayer, x: tf.Tensor4D): [rows: Span, columns: Span] {
  const {strides, dilation, shape} = layer;
  return ([0, 1] as const).map((axis) => {
    const size = x.shape[1 + axis];
    const {output, before} = windowsOf(layer, axis, size);
    const seen = (output - 1) * strides[axis] + 1;
    return {output, seen, before, after: Math.max(0, seen + (shape[axis] - 1) * dilation[axis] - before - size)};
  }) as [Span, Span];
}

function padded(x: tf.Tensor4D, rows: Span, columns: Span): tf.Tensor4D {
  if ([rows.before, rows.after, columns.before, columns.after].every((n) => n === 0)) return x;
  const pads: [number, number][] = [rows, columns].map(({before, after}) => [before, after]);
  return tf.pad(x, [[0, 0], ...pads, [0, 0]]);
}
