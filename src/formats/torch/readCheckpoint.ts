import path from 'node:path';
import {InputError} from '../../common/errors';
import {readBytes, withBinaryFile, type BinaryFile} from '../../files/binaryFile';
import {loadTensors, rowMajorStrides, type LoadedWeight, type TensorOnDisk} from './loadTensors';
import {foreignKind} from '../../files/foreignKind';
import {readSafetensorsHeader} from '../../files/safetensors';
import {readTorchStream, readTorchZip, type TorchFile} from './torchArchive';
import {isTensor, type TorchTensor} from './torchPickle';

/** Where training scripts keep the weights beside an epoch and an optimizer, in the order in which they are looked for. */
const NESTS = ['state_dict', 'model_state_dict', 'model_state', 'model', 'net', 'network', 'weights', 'params'];

/** Prefixes that wrappers put before every name: DataParallel, torch.compile, Lightning. */
const PREFIXES = ['module.', '_orig_mod.', 'model.'];

/**
 * The weights of a PyTorch checkpoint: by name (`layer1.0.conv1.weight`), row-major float32 with PyTorch's shapes. Reads zip
 * archives, the older stream and `.safetensors`, by content and not by extension; float16, bfloat16, float64 and integers are
 * converted. A state dict inside a training checkpoint is found, wrappers' prefixes (`module.`) are dropped, and so are the
 * batch counters `num_batches_tracked`. Nothing pickled is run, and only the weights' own bytes are read.
 * @throws InputError where the file is missing, truncated, foreign or damaged, holds other Python objects than a state dict
 * needs, or a weight is NaN or infinite
 */
export async function readCheckpoint(file: string): Promise<Map<string, LoadedWeight>> {
  return withBinaryFile(file, async (opened) => {
    const tensors = withoutPrefix(await findTensors(opened)).filter(
      ({name}) => !/(^|\.)num_batches_tracked$/.test(name),
    );
    if (tensors.length === 0) throw new InputError(`${file} holds no weights`);
    return loadTensors(opened, tensors);
  });
}

async function findTensors(file: BinaryFile): Promise<TensorOnDisk[]> {
  const head = await readBytes(file, 0, Math.min(file.size, 512));
  if (head.length === 0) throw new InputError(`${file.name} is empty`);
  const starts = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  if (starts(0x50, 0x4b, 3, 4)) return torchTensors(file, await readTorchZip(file));
  if (starts(0x80) && head[1] >= 2 && head[1] <= 5) return torchTensors(file, await readTorchStream(file));
  if (head[8] === 0x7b /* { */ || path.extname(file.name).toLowerCase() === '.safetensors') {
    const {entries} = await readSafetensorsHeader(file);
    return entries.map(({name, dtype, shape, position}) => ({
      name,
      dtype,
      order: 'little',
      position,
      length: shape.reduce((product, length) => product * length, 1),
      offset: 0,
      shape,
      strides: rowMajorStrides(shape),
    }));
  }
  throw new InputError(
    `${file.name} is ${foreignKind(head)}, not a PyTorch checkpoint; give a .pth, .pt or .th file made by torch.save, or a .safetensors file`,
  );
}

/** The tensors of the state dict in a torch.save file, placed. Storages of others (an optimizer's) are not looked at. */
async function torchTensors(file: BinaryFile, {root, order, locate}: TorchFile): Promise<TensorOnDisk[]> {
  const state = findStateDict(root);
  if (!state) {
    const keys = root instanceof Map ? [...root.keys()].slice(0, 8).map(String).join(', ') : '';
    throw new InputError(
      `${file.name} holds no state dict${keys ? ` (its keys: ${keys})` : ''}; give a file made by torch.save(model.state_dict(), file)`,
    );
  }
  const tensors: TensorOnDisk[] = [];
  for (const [name, {storage, offset, shape, strides}] of state) {
    const position = await locate(storage);
    tensors.push({name, dtype: storage.dtype, order, position, length: storage.length, offset, shape, strides});
  }
  return tensors;
}

function findStateDict(value: unknown, depth = 0): Map<string, TorchTensor> | undefined {
  if (!(value instanceof Map) || depth > 3) return undefined;
  // A nest goes first: a checkpoint may keep a best accuracy as a tensor beside its state dict.
  for (const key of NESTS) {
    const inner = findStateDict(value.get(key), depth + 1);
    if (inner) return inner;
  }
  const tensors = [...value].filter(
    (item): item is [string, TorchTensor] => typeof item[0] === 'string' && isTensor(item[1]),
  );
  return tensors.length > 0 ? new Map(tensors) : undefined;
}

function withoutPrefix(tensors: TensorOnDisk[]): TensorOnDisk[] {
  const prefix = PREFIXES.find((candidate) => tensors.every(({name}) => name.startsWith(candidate)));
  if (prefix === undefined || tensors.length === 0) return tensors;
  return withoutPrefix(tensors.map((tensor) => ({...tensor, name: tensor.name.slice(prefix.length)})));
}
