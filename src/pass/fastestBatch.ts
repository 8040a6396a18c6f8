import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../engine';
import type {Model} from '../network/types';

const SIZES = [8, 16, 32, 64];

/** So long each size is looked at, in ms. */
const LOOK_MS = 400;

/** A larger batch takes more memory, so it has to be faster by this much. */
const GAIN = 1.03;

/** The number of images per batch with which the network goes through an image fastest, by a measurement of about two seconds. */
export async function fastestBatch(model: Model): Promise<number> {
  await ensureBackend();
  const [height, width, channels] = model.inputShape;
  let best = {size: SIZES[0], time: Infinity};
  for (const size of SIZES) {
    const images = tf.zeros([size, height, width, channels]) as tf.Tensor4D;
    try {
      const forward = async () => {
        const logits = model.logits(images);
        await logits.data();
        logits.dispose();
      };
      await forward(); // The first one prepares what later ones find ready.
      let time = Infinity;
      const start = performance.now();
      do {
        const before = performance.now();
        await forward();
        // The shortest: whatever else the machine does only lengthens it.
        time = Math.min(time, (performance.now() - before) / size);
      } while (performance.now() - start < LOOK_MS);
      if (time * GAIN < best.time) best = {size, time};
    } finally {
      images.dispose();
    }
  }
  model.dispose(); // Its weights are on the engine only while it computes; they are put there again when it is used.
  return best.size;
}
