/** What PyTorch's pickles name: the few types that a state dict and a training checkpoint around it need. */
import {InputError} from '../../common/errors';
import {isGlobal, readPickle, type PickleGlobal} from './pickle';

/** A run of numbers in the file that tensors view; `dtype` as safetensors names it. */
export interface TorchStorage {
  kind: 'storage';
  key: string;
  dtype: string;
  /** Items in it. */
  length: number;
  /** Items before it, where it is a view into the storage of that key (PyTorch before 0.4). */
  viewOffset: number;
}

/** A tensor as pickled: a strided view of a storage. Strides and offset count items. */
export interface TorchTensor {
  kind: 'tensor';
  storage: TorchStorage;
  offset: number;
  shape: number[];
  strides: number[];
}

export function isTensor(value: unknown): value is TorchTensor {
  return typeof value === 'object' && value !== null && (value as {kind?: unknown}).kind === 'tensor';
}

const STORAGE_DTYPES: Readonly<Record<string, string>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** Values that training scripts save beside the weights (epoch, best accuracy, options, random state): kept as a blank. */
const BLANKS = new Set([
  'argparse.Namespace',
  '_codecs.encode',
  ...['set', 'frozenset', 'complex', 'bytearray', 'slice', 'object'].flatMap((name) => [
    `builtins.${name}`,
    `__builtin__.${name}`,
  ]),
  ...['numpy.core.multiarray', 'numpy._core.multiarray'].flatMap((module) => [
    `${module}.scalar`,
    `${module}._reconstruct`,
  ]),
  ...['numpy.core.numeric', 'numpy._core.numeric'].map((module) => `${module}._frombuffer`),
  'numpy.dtype',
  'numpy.ndarray',
  ...['bool_', 'int32', 'int64', 'float16', 'float32', 'float64'].map((name) => `numpy.${name}`),
  ...['Bool', 'Int32', 'Int64', 'Float16', 'Float32', 'Float64'].map((name) => `numpy.dtypes.${name}DType`),
  'torch.device',
  'torch.Tensor',
  'torch._tensor.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.serialization._get_layout',
  ...['float16', 'float32', 'float64', 'bfloat16', 'uint8', 'int8', 'int16', 'int32', 'int64', 'bool'].map(
    (name) => `torch.${name}`,
  ),
]);

const asDict = (args: unknown[]): Map<unknown, unknown> => {
  // OrderedDict([[key, value], …]) is how Python 2 pickles one; a defaultdict's argument is its factory.
  const pairs = Array.isArray(args[0]) ? args[0].filter((pair): pair is [unknown, unknown] => Array.isArray(pair)) : [];
  return new Map(pairs);
};

/**
 * Reads one pickle of a PyTorch file; tensors are left as {@link TorchTensor}, nothing of theirs is read yet. Every storage
 * that it names is added to `storages` by its key.
 * @throws InputError for a damaged pickle, or one that names a type outside the list
 */
export function readTorchPickle(
  bytes: Uint8Array,
  start: number,
  file: string,
  storages: Map<string, TorchStorage>,
): {value: unknown; end: number} {
  const damaged = (why: string) => new InputError(`${file} is damaged or no PyTorch checkpoint: ${why}`);

  const rebuildTensor = ([storage, offset, shape, strides]: unknown[]): TorchTensor => {
    if (!isStorage(storage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides)) {
      throw damaged('a tensor lacks its storage, offset, shape or strides');
    }
    if (shape.length !== strides.length) {
      throw damaged(`a tensor of shape [${shape.join(', ')}] has strides [${strides.join(', ')}]`);
    }
    return {kind: 'tensor', storage, offset: storage.viewOffset + offset, shape, strides};
  };
  const rebuildParameter = ([tensor]: unknown[]): unknown => tensor;
  const meaningOf: Record<string, (args: unknown[]) => unknown> = {
    'collections.OrderedDict': asDict,
    'collections.defaultdict': asDict,
    'collections.Counter': asDict,
    'builtins.dict': asDict,
    '__builtin__.dict': asDict,
    'builtins.list': () => [],
    'torch.Size': ([shape]) => shape,
    'torch._utils._rebuild_tensor': rebuildTensor,
    'torch._utils._rebuild_tensor_v2': rebuildTensor,
    'torch._utils._rebuild_parameter': rebuildParameter,
    'torch._utils._rebuild_parameter_with_state': rebuildParameter,
    'torch._tensor._rebuild_from_type_v2': ([rebuild, , args]) => {
      if (!isGlobal(rebuild) || !Array.isArray(args)) throw damaged('a tensor lacks the parts that it is made of');
      return rebuild.call(args);
    },
  };

  return readPickle(
    bytes,
    start,
    {
      global(name): PickleGlobal | undefined {
        if (Object.hasOwn(meaningOf, name)) return {kind: 'global', name, call: meaningOf[name]};
        if (BLANKS.has(name) || storageDtype(name)) return {kind: 'global', name, call: () => ({kind: 'blank', name})};
        return undefined;
      },
      persistent(id) {
        const [tag, type, key, , length, view] = Array.isArray(id) ? (id as unknown[]) : [];
        const name = typeof type === 'object' && type !== null ? (type as PickleGlobal).name : undefined;
        const dtype = name === undefined ? undefined : storageDtype(name);
        if (tag !== 'storage' || !dtype || typeof key !== 'string' || !isCount(length)) {
          throw damaged('a storage lacks its type, key or length');
        }
        const storage: TorchStorage = {kind: 'storage', key, dtype, length, viewOffset: 0};
        if (storages.get(key) && storages.get(key)?.dtype !== dtype) throw damaged(`storage "${key}" has two types`);
        storages.set(key, storage);
        if (!Array.isArray(view)) return storage;
        const [, viewOffset, viewLength] = view as unknown[];
        if (!isCount(viewOffset) || !isCount(viewLength) || viewOffset + viewLength > length) {
          throw damaged(`a view reaches beyond its storage of ${length} items`);
        }
        return {...storage, viewOffset};
      },
    },
    file,
  );
}

/** `torch.FloatStorage` and `torch.cuda.FloatStorage` → F32. */
function storageDtype(name: string): string | undefined {
  const type = /^torch\.(?:cuda\.)?(\w+Storage)$/.exec(name)?.[1];
  return type !== undefined && Object.hasOwn(STORAGE_DTYPES, type) ? STORAGE_DTYPES[type] : undefined;
}

function isStorage(value: unknown): value is TorchStorage {
  return typeof value === 'object' && value !== null && (value as {kind?: unknown}).kind === 'storage';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
