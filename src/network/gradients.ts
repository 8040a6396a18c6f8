import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import {compute, type Divided, type Values} from './program';

export interface GradientOptions {
  /** Class k of each image: the gradient is that of Σ_b y[b, k_b], y the first output, [B, K] or as many elements an image. */
  labels?: ArrayLike<number>;
  /** Or weights v, in the shape of y: the gradient is that of Σ v·y. */
  weighting?: tf.Tensor;
  /** Where gradients are wanted; default all taps that the graph was compiled with. */
  taps?: readonly string[];
}

export interface Gradients {
  /** Values of the outputs. */
  outputs: Record<string, tf.Tensor>;
  /** Value and gradient at each tap, in the shape of the value. */
  taps: Record<string, {value: tf.Tensor; gradient: tf.Tensor}>;
}

/**
 * Outputs, and values and gradients at taps, by one forward and one backward pass. Only what comes after a tap is recorded.
 * @param values of the network's inputs
 */
export function gradientsAt(
  taps: readonly string[],
  outputs: readonly string[],
  {before, after}: Divided,
  values: Values,
  options: GradientOptions,
): Gradients {
  return tf.tidy(() => {
    compute(before, values);
    const first = outputs[0]!;
    const sources = taps.filter((tap) => values.has(tap));
    const at = new Map(sources.map((tap) => [tap, values.get(tap)!]));
    const results = new Map<string, tf.Tensor>();
    const gradients = new Map<string, tf.Tensor>();
    /** Tensors that the scopes of the gradient would free. */
    const keptHere: tf.Tensor[] = [];
    const keep = (tensor: tf.Tensor) => {
      const kept = tf.keep(tf.clone(tensor));
      keptHere.push(kept);
      return kept;
    };
    /** A tap's value, handed on; on the way back its gradient is noted. */
    const noting = (tap: string, value: tf.Tensor) =>
      tf.customGrad((x) => {
        const gradFunc = (dy: tf.Tensor) => {
          gradients.set(tap, keep(dy));
          return dy;
        };
        return {value: tf.clone(x as tf.Tensor), gradFunc};
      })(value);
    const forward = () => {
      for (const tap of sources) values.set(tap, noting(tap, at.get(tap)!));
      compute(after, values, (name, value) => {
        if (outputs.includes(name) && name !== first) results.set(name, keep(value));
        if (!taps.includes(name)) return value;
        at.set(name, keep(value));
        return noting(name, value);
      });
      const y = values.get(first)!;
      results.set(first, keep(y));
      // A complaint waits until the recording has come to its end, which frees what it keeps.
      let weights: tf.Tensor | undefined;
      try {
        weights = keep(weightingOf(y, options));
      } catch (error) {
        complaint = error;
      }
      return weights ? withGradient(y, weights) : tf.sum(y);
    };
    let complaint: unknown;
    try {
      tf.engine().gradients(forward, [...at.values()]);
      if (complaint) throw complaint;
      const free = (tensor: tf.Tensor) => tf.clone(tensor);
      return {
        outputs: Object.fromEntries(
          outputs.map((name) => [name, free(results.get(name) ?? at.get(name) ?? values.get(name)!)]),
        ),
        taps: Object.fromEntries(
          taps.map((tap) => [tap, {value: free(at.get(tap)!), gradient: free(gradients.get(tap)!)}]),
        ),
      };
    } finally {
      tf.dispose(keptHere);
    }
  });
}

/** A number whose gradient by y is v, as that of Σ v·y is; nobody reads the number, so nothing adds it up. */
function withGradient(y: tf.Tensor, v: tf.Tensor): tf.Tensor {
  return tf.customGrad(() => ({value: tf.scalar(0), gradFunc: () => v}))(y);
}

/** v of Σ v·y, in the shape of y. */
function weightingOf(y: tf.Tensor, {labels, weighting}: GradientOptions): tf.Tensor {
  if (weighting) {
    if (weighting.size === y.size) return tf.reshape(weighting, y.shape);
    throw new InputError(
      `the weighting has shape [${weighting.shape.join(', ')}]; the output has [${y.shape.join(', ')}]`,
    );
  }
  if (!labels) throw new InputError('no gradient without labels or a weighting');
  const classes = y.size / y.shape[0]!;
  if (labels.length !== y.shape[0]) throw new InputError(`${labels.length} labels for ${y.shape[0]} images`);
  const wrong = Array.from(labels).find((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (wrong !== undefined) throw new InputError(`invalid label: ${wrong}; classes are 0 to ${classes - 1}`);
  const chosen = new Float32Array(y.size);
  Array.from(labels).forEach((label, image) => (chosen[image * classes + label] = 1));
  return tf.tensor(chosen, y.shape);
}
