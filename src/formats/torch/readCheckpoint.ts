import {InputError} from '../../common/errors';
import {printableName} from '../../common/printable';
import {ITEM_BYTES, readBytes, withBinaryFile, type BinaryFile} from '../../files/binaryFile';
import {foreignKind} from '../../files/foreignKind';
import {readSafetensorsHeader, type SafetensorsEntry} from '../../files/safetensors';
import {ONNX_EXPORT} from './exportAdvice';
import {loadTensors, rowMajorStrides, type LoadedWeight, type TensorOnDisk} from './loadTensors';
import {isCounter, plainNames} from './names';
import {isNumpyArray, type NumpyArray} from './numpyArray';
import {describeRoot, stateDictsIn, wholeModelIn, type StateDict} from './stateDicts';
import {readTorchStream, readTorchZip, type TorchFile} from './torchArchive';
import type {TorchStorage, TorchTensor} from './torchPickle';

/** A checkpoint open for reading: its dicts of tensors are known, of their numbers nothing is read yet. */
export interface Checkpoint {
  /** The file's path. */
  name: string;
  states: StateDict[];
  /** The architecture that the file itself names beside the weights, where it does. */
  arch?: string;
  /** Places of tensors by the names that they shall have. */
  place(tensors: ReadonlyMap<string, TorchTensor | NumpyArray>): Promise<TensorOnDisk[]>;
  load(tensors: readonly TensorOnDisk[]): Promise<Map<string, LoadedWeight>>;
}

/**
 * Opens a PyTorch checkpoint: zip archives, the older stream and `.safetensors`, by content and not by extension. Nothing
 * pickled is run: an object of a type that weights do not need is a blank, whatever it is.
 * @throws InputError where the file is missing, truncated, foreign or damaged, or holds no tensors
 */
export async function withCheckpoint<T>(file: string, use: (checkpoint: Checkpoint) => Promise<T>): Promise<T> {
  return withBinaryFile(file, async (opened) => use(await openCheckpoint(opened)));
}

/**
 * The weights of a PyTorch checkpoint without a look at any architecture: by name (`layer1.0.conv1.weight`), row-major float32
 * with PyTorch's shapes; float16, bfloat16, float64 and integers are converted. Of several dicts of tensors the one with the
 * most is taken; wrappers' names (`module.`) and the batch counters `num_batches_tracked` are dropped.
 * @throws InputError where the file is missing, truncated, foreign or damaged, holds no tensors, or one is NaN or infinite
 */
export async function readCheckpoint(file: string): Promise<Map<string, LoadedWeight>> {
  return withCheckpoint(file, async (checkpoint) => {
    const state = checkpoint.states.reduce((most, next) => (next.tensors.size > most.tensors.size ? next : most));
    const names = plainNames([...state.tensors.keys()]);
    const prefix = ['model.', ''].find((candidate) => [...names.values()].every((name) => name.startsWith(candidate)));
    const wanted = [...names].filter(([, name]) => !isCounter(name));
    if (wanted.length === 0) throw new InputError(`${file} holds no weights`);
    const tensors = wanted.map(([stored, name]) => {
      const tensor = state.tensors.get(stored) as TorchTensor | NumpyArray;
      return [name.slice((prefix as string).length), tensor] as const;
    });
    return checkpoint.load(await checkpoint.place(new Map(tensors)));
  });
}

async function openCheckpoint(file: BinaryFile): Promise<Checkpoint> {
  const load = (tensors: readonly TensorOnDisk[]) => loadTensors(file, tensors);
  const head = await readBytes(file, 0, Math.min(file.size, 512));
  if (head.length === 0) throw new InputError(`${file.name} is empty`);
  const starts = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  if (starts(0x50, 0x4b, 3, 4)) return torchCheckpoint(file, await readTorchZip(file), load);
  if (starts(0x80) && head[1] >= 2 && head[1] <= 5) return torchCheckpoint(file, await readTorchStream(file), load);
  if (head[8] === 0x7b /* { */) return safetensorsCheckpoint(file, load);
  throw new InputError(
    `${file.name} is ${foreignKind(head)}, not a PyTorch checkpoint; give a .pth, .pt or .th file made by torch.save, or a .safetensors file`,
  );
}

/** A `.safetensors` file is one dict; its tensors stand for themselves. */
async function safetensorsCheckpoint(file: BinaryFile, load: Checkpoint['load']): Promise<Checkpoint> {
  const {entries} = await readSafetensorsHeader(file);
  const places = new Map(entries.map((entry) => [entry.name, entry]));
  const tensors = new Map(
    entries.map(({name, dtype, shape}): [string, TorchTensor] => {
      const length = shape.reduce((product, size) => product * size, 1);
      const storage: TorchStorage = {kind: 'storage', key: name, dtype, length, viewOffset: 0};
      return [name, {kind: 'tensor', storage, offset: 0, shape, strides: rowMajorStrides(shape)}];
    }),
  );
  return {
    name: file.name,
    states: tensors.size > 0 ? [{path: '', tensors, unread: new Map()}] : [],
    place: async (wanted) =>
      [...wanted].map(([name, tensor]) => {
        const {storage, ...view} = tensor as TorchTensor;
        const {dtype, position} = places.get(storage.key) as SafetensorsEntry;
        return {name, dtype, order: 'little', position, length: storage.length, ...view};
      }),
    load,
  };
}

async function torchCheckpoint(
  file: BinaryFile,
  {root, order, locate}: TorchFile,
  load: Checkpoint['load'],
): Promise<Checkpoint> {
  const states = stateDictsIn(root);
  if (states.length === 0) {
    const whole = wholeModelIn(root);
    throw new InputError(
      whole === undefined
        ? `${file.name} holds no state dict but ${describeRoot(root)}; give a file made by torch.save(model.state_dict(), file)`
        : `${file.name} holds a Python object of type ${printableName(whole)}, which is not read because that could run code; ${ONNX_EXPORT}`,
    );
  }
  const arch = root instanceof Map ? (root.get('arch') as unknown) : undefined;
  return {
    name: file.name,
    states,
    arch: typeof arch === 'string' ? arch : undefined,
    async place(wanted) {
      const placed: TensorOnDisk[] = [];
      for (const [name, tensor] of wanted) {
        if (isNumpyArray(tensor)) {
          placed.push(numpyOnDisk(file, name, tensor));
          continue;
        }
        const {storage, offset, shape, strides} = tensor;
        const position = await locate(storage);
        placed.push({name, dtype: storage.dtype, order, position, length: storage.length, offset, shape, strides});
      }
      return placed;
    },
    load,
  };
}

/** @throws InputError for an array whose type is no number or whose bytes are not there */
function numpyOnDisk(file: BinaryFile, name: string, array: NumpyArray): TensorOnDisk {
  const {dtype, order, shape, fortran, bytes} = array;
  if (dtype === undefined || bytes === undefined) {
    throw new InputError(
      `tensor "${printableName(name)}" of ${file.name} is a NumPy array of a type that is not read; save the state dict with PyTorch's tensors`,
    );
  }
  const strides = fortran ? rowMajorStrides([...shape].reverse()).reverse() : rowMajorStrides(shape);
  const length = Math.floor(bytes.length / ITEM_BYTES[dtype]);
  return {name, dtype, order, position: 0, length, offset: 0, shape, strides, held: bytes};
}
