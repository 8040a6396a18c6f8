import {dict, tensor, zipCheckpoint, type Pickled} from './torchFiles';

/** A checkpoint whose tensors have storages of their own, numbered as they are made. */
export class Checkpoint {
  private readonly storages: Record<string, Buffer> = {};

  tensor(shape: readonly number[], data: Float32Array): Pickled {
    const key = String(Object.keys(this.storages).length);
    this.storages[key] = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, length) => product * length, 1));
    return tensor({key, length: data.length, shape: [...shape], strides});
  }

  state(
    weights: readonly (readonly [string, {shape: readonly number[]; data: Float32Array}])[],
    more: Record<string, Pickled> = {},
  ): Pickled {
    const tensors = weights.map(([name, {shape, data}]) => [name, this.tensor(shape, data)] as const);
    return dict({...Object.fromEntries(tensors), ...more});
  }

  file(root: Pickled): Buffer {
    return zipCheckpoint(root, this.storages);
  }
}
