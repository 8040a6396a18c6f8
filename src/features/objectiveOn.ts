import * as tf from '@tensorflow/tfjs-core';
import {applyLayer, asPositions, describeLayer, linearLayers, type LinearLayer} from '../network/linearLayer';
import {logitsGraph} from '../network/logits';
import {shapesOf} from '../network/operators';
import type {Model} from '../network/types';
import {classIndex} from '../common/classIndex';
import {InputError} from '../common/errors';
import {isObjective, unknownObjective, type Objective, type Where} from './objectives';
import {checkSize, observer} from './observe';

/** An objective in a network. */
export interface NetworkObjective {
  /** One value per image, [B]; differentiable. @param images [B, H, W, C], preprocessed */
  value(images: tf.Tensor4D): tf.Tensor1D;
  dispose(): void;
}

type Seen = Map<string, tf.Tensor>;

/** What an objective looks at, the layers that it computes, and its value [B] or [] there. */
interface Term {
  points: string[];
  layers: string[];
  value(seen: Seen): tf.Tensor;
}

/**
 * Looks an objective up in a network and builds the part of it that the objective needs.
 * @param size [H, W] of the images. @default the model's input
 * @throws InputError for a layer, channel, position or class that the model lacks, a kernel or a size that does not fit
 */
export function objectiveOn(model: Model, objective: Objective, size = inputSize(model)): NetworkObjective {
  const {observe, dispose} = observed(model, size, (keep) => termOf(objective, model, keep));
  return {
    value: (images) => tf.tidy(() => tf.add(observe(images), tf.zeros([images.shape[0]])) as tf.Tensor1D),
    dispose,
  };
}

/**
 * The output of a layer, [B, H', W', C]; differentiable.
 * @throws InputError as `objectiveOn`
 */
export function layerOn(model: Model, layer: string, size: readonly [number, number]) {
  return observed(model, size, (keep) => {
    const {point, output} = layerOutput(model, layer, keep);
    const all = output();
    return {points: [point], layers: [layer], value: (seen) => all(seen.get(point) as tf.Tensor)};
  });
}

/** What a term gives of images, with the part of the network that it needs. */
function observed(model: Model, size: readonly [number, number], make: (keep: Keep) => Term) {
  const kept: tf.Tensor[] = [];
  const keep: Keep = (tensor) => {
    const variable = tf.tidy(() => tf.variable(tensor(), false)) as unknown as ReturnType<typeof tensor>;
    kept.push(variable);
    return variable;
  };
  try {
    const term = make(keep);
    checkSize(model, term.layers, size);
    const network = observer(model, term.points, size);
    return {
      observe: (images: tf.Tensor4D): tf.Tensor => tf.tidy(() => term.value(network.observe(images))),
      dispose() {
        network.dispose();
        tf.dispose(kept);
      },
    };
  } catch (error) {
    tf.dispose(kept);
    throw error;
  }
}

export const inputSize = (model: Model): readonly [number, number] => [model.inputShape[0], model.inputShape[1]];

type Keep = <T extends tf.Tensor>(make: () => T) => T;

function termOf(objective: Objective, model: Model, keep: Keep): Term {
  if (!isObjective(objective)) throw unknownObjective(objective);
  switch (objective.kind) {
    case 'constant': {
      if (!Number.isFinite(objective.value)) throw new InputError(`invalid factor: ${objective.value}; it is a number`);
      return {points: [], layers: [], value: () => tf.scalar(objective.value)};
    }
    case 'logit':
    case 'logProbability': {
      const index = classIndex(objective.class, model.classNames, model.classes);
      const [point] = logitsGraph(model.graph).outputs;
      return {
        points: [point],
        layers: [point],
        value(seen) {
          const logits = tf.reshape(seen.get(point) as tf.Tensor, [-1, model.classes]); // [B, K]
          const values = objective.kind === 'logit' ? logits : tf.logSoftmax(logits); // [B, K]
          return tf.reshape(tf.slice(values, [0, index], [-1, 1]), [-1]); // [B]
        },
      };
    }
    case 'channel': {
      const {point, channels, output} = layerOutput(model, objective.layer, keep);
      checkIndex(`channel`, objective.channel, channels, `layer ${objective.layer} has channels`);
      const only = output(objective.channel);
      return {
        points: [point],
        layers: [objective.layer],
        value: (seen) => at(only(seen.get(point) as tf.Tensor), objective.where, objective.layer),
      };
    }
    case 'weightVector': {
      const layer = linearNode(model, objective.layer);
      const [kh, kw, inputs] = layer.shape;
      if (objective.kernel.length !== kh * kw * inputs) {
        throw new InputError(
          `${objective.name} has ${objective.kernel.length} weights; layer ${layer.name} takes kernels of ${kh} × ${kw} × ${inputs} = ${kh * kw * inputs}`,
        );
      }
      if (!objective.kernel.every(Number.isFinite) || !Number.isFinite(objective.bias)) {
        throw new InputError(`${objective.name} has a weight that is not finite; give numbers`);
      }
      const kernel = keep(() => tf.tensor4d(objective.kernel, [kh, kw, inputs, 1]));
      const point = inputPoint(model, layer.name);
      return {
        points: [point],
        layers: [layer.name],
        value(seen) {
          const z = tf.add(applyLayer(layer, seen.get(point) as tf.Tensor, kernel), objective.bias); // [B, H', W', 1]
          return at(z as tf.Tensor4D, objective.where, layer.name);
        },
      };
    }
    case 'diversity': {
      const {point, output} = layerOutput(model, objective.layer, keep);
      const all = output();
      return {
        points: [point],
        layers: [objective.layer],
        value: (seen) => unlikeness(all(seen.get(point) as tf.Tensor)),
      };
    }
    case 'sum': {
      const terms = objective.terms.map((term) => termOf(term, model, keep));
      return combined(terms, (values) => values.reduce((sum, value) => tf.add(sum, value)));
    }
    case 'product': {
      const factors = objective.factors.map((factor) => termOf(factor, model, keep));
      return combined(factors, (values) => values.reduce((product, value) => tf.mul(product, value)));
    }
    default:
      throw unknownObjective(objective);
  }
}

function combined(terms: Term[], combine: (values: tf.Tensor[]) => tf.Tensor): Term {
  if (terms.length === 0) throw new InputError('a sum or product of no objectives; give at least one');
  return {
    points: terms.flatMap((term) => term.points),
    layers: terms.flatMap((term) => term.layers),
    value: (seen) => combine(terms.map((term) => term.value(seen))),
  };
}

/** @throws InputError that says what there is */
function checkIndex(what: string, index: number, count: number, has: string): void {
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new InputError(`invalid ${what}: ${index}; ${has} 0 to ${count - 1}`);
  }
}

/** The convolution or dense layer of a name. @throws InputError that lists the layers */
function linearNode(model: Model, name: string): LinearLayer {
  const node = model.graph.nodes.find((candidate) => candidate.name === name);
  const layer = node && describeLayer(node);
  if (layer && typeof layer !== 'string') return layer;
  const names = linearLayers(model.graph)
    .map((other) => other.name)
    .join(', ');
  throw new InputError(
    layer === undefined
      ? `no layer "${name}"; layers that take a weight vector: ${names}`
      : `layer "${name}" takes no weight vector: ${layer}; layers that do: ${names}`,
  );
}

function inputPoint(model: Model, name: string): string {
  const node = model.graph.nodes.find((candidate) => candidate.name === name);
  return (node as {inputs: string[]}).inputs[0];
}

/** Where a layer's output is read, how many channels it has, and how to compute one of them or all, [B, H', W', 1 or C]. */
function layerOutput(model: Model, name: string, keep: Keep) {
  const node = model.graph.nodes.find((candidate) => candidate.name === name);
  const inGraph = logitsGraph(model.graph).nodes.some((candidate) => candidate.name === name);
  if (!node || !inGraph || node.operator === 'InputLayer') {
    const names = linearLayers(model.graph).map((layer) => layer.name);
    throw new InputError(
      `no layer "${name}"; layers with weights: ${names.join(', ')}; batch norms, activations and additions between them serve too`,
    );
  }
  const layer = describeLayer(node);
  if (typeof layer === 'string') {
    const shape = shapesOf(model.graph).get(name) as number[];
    const channels = shape[shape.length - 1];
    const output = (channel?: number) => (y: tf.Tensor) => {
      const positions = asPositions(y); // [B, H', W', C]
      return channel === undefined ? positions : tf.slice(positions, [0, 0, 0, channel], [-1, -1, -1, 1]);
    };
    return {point: name, channels, output};
  }
  // Only what is asked for is computed: one channel's kernel is a column of the layer's.
  const [kh, kw, inputs, channels] = layer.shape;
  const output = (channel?: number) => {
    const columns = channel === undefined ? [...Array(channels).keys()] : [channel];
    const kernel = keep(() =>
      tf.tensor4d(
        Float32Array.from({length: kh * kw * inputs * columns.length}, (_, i) => {
          const [row, column] = [Math.floor(i / columns.length), columns[i % columns.length]];
          return layer.kernel[row * channels + column];
        }),
        [kh, kw, inputs, columns.length],
      ),
    );
    const bias = keep(() => tf.tensor1d(columns.map((column) => layer.bias?.[column] ?? 0)));
    return (x: tf.Tensor) => applyLayer(layer, x, kernel, bias); // [B, H', W', 1 or C]
  };
  return {point: inputPoint(model, name), channels, output};
}

/** One number per image, [B], of one channel's map [B, H', W', 1]. */
function at(map: tf.Tensor4D, where: Where, layer: string): tf.Tensor {
  if (where === 'mean') return tf.mean(map, [1, 2, 3]); // [B]
  if (where === 'sum') return tf.sum(map, [1, 2, 3]); // [B]
  const [, height, width] = map.shape;
  const [row, column] = where === 'centre' ? [height >> 1, width >> 1] : where;
  checkIndex('row', row, height, `the output of ${layer} has rows`);
  checkIndex('column', column, width, `the output of ${layer} has columns`);
  return tf.reshape(tf.slice(map, [0, row, column, 0], [-1, 1, 1, 1]), [-1]); // [B]
}

/** Mean over pairs of 1 − cos of Gram matrices, []. @param z [B, H', W', C] @throws InputError for one image */
function unlikeness(z: tf.Tensor4D): tf.Tensor {
  const [batch, height, width, channels] = z.shape;
  if (batch < 2)
    throw new InputError(`diversity compares the images of a batch, and there is ${batch}; give batch 2 or more`);
  const rows = tf.reshape(z, [batch, height * width, channels]); // [B, H'·W', C]
  const grams = tf.reshape(tf.matMul(rows, rows, true), [batch, channels * channels]); // [B, C·C]
  const lengths = tf.sqrt(tf.add(tf.sum(tf.square(grams), 1, true), 1e-12)); // [B, 1]
  const units = tf.div(grams, lengths); // [B, C·C]
  const cosines = tf.matMul(units, units, false, true); // [B, B]
  const pairs = batch * (batch - 1);
  return tf.sub(1, tf.div(tf.sub(tf.sum(cosines), tf.sum(tf.square(units))), pairs));
}
