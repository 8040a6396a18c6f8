/** What PyTorch's pickles name: the few types that a state dict and a training checkpoint around it need. */
import {InputError} from '../../common/errors';
import {printableName} from '../../common/printable';
import {NUMPY_MEANINGS} from './numpyArray';
import {isBlank, isGlobal, readPickle, type Blank, type PickleGlobal} from './pickle';

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
  ComplexFloatStorage: 'C64',
  ComplexDoubleStorage: 'C128',
  // Quantised numbers; their tensors are made by a function of their own, which is not read.
  QInt8Storage: 'I8',
  QUInt8Storage: 'U8',
  QInt32Storage: 'I32',
};

/** Shapes and strides have at most as many axes; PyTorch's limit. */
const MAX_AXES = 64;

/**
 * Reads one pickle of a PyTorch file; tensors are left as {@link TorchTensor}, nothing of theirs is read yet. Every storage
 * that it names is added to `storages` by its key.
 * @throws InputError for a damaged pickle
 */
export function readTorchPickle(
  bytes: Uint8Array,
  start: number,
  file: string,
  storages: Map<string, TorchStorage>,
): {value: unknown; end: number} {
  const damaged = (why: string) => new InputError(`${file} is damaged or no PyTorch checkpoint: ${why}`);

  const rebuildTensor = ([storage, offset, shape, strides]: unknown[]): TorchTensor | Blank => {
    if (isBlank(storage)) return storage;
    if (!isStorage(storage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides)) {
      throw damaged('a tensor lacks its storage, offset, shape or strides');
    }
    if (shape.length !== strides.length) {
      throw damaged(`a tensor of shape [${shape.join(', ')}] has strides [${strides.join(', ')}]`);
    }
    return {kind: 'tensor', storage, offset: storage.viewOffset + offset, shape, strides};
  };
  const rebuildParameter = ([tensor]: unknown[]): unknown => tensor;

  // An OrderedDict's items may be its argument: calling it again and again must not copy more than the file holds.
  let copied = 0;
  const asDict = ([pairs]: unknown[]): Map<unknown, unknown> => {
    // OrderedDict([[key, value], …]) is how Python 2 pickles one; a defaultdict's argument is its factory.
    const items = Array.isArray(pairs) ? (pairs as unknown[]) : [];
    copied += items.length;
    if (copied > bytes.length) throw damaged('its dicts repeat the same items more often than it has bytes');
    return new Map(items.filter((pair): pair is [unknown, unknown] => Array.isArray(pair) && pair.length === 2));
  };

  const meaningOf: Record<string, (args: unknown[]) => unknown> = {
    ...NUMPY_MEANINGS,
    'collections.OrderedDict': asDict,
    'collections.defaultdict': asDict,
    'collections.Counter': asDict,
    'builtins.dict': asDict,
    '__builtin__.dict': asDict,
    'builtins.list': () => [],
    '__builtin__.list': () => [],
    'torch.Size': ([shape]) => shape,
    'torch._utils._rebuild_tensor': rebuildTensor,
    'torch._utils._rebuild_tensor_v2': rebuildTensor,
    'torch._utils._rebuild_parameter': rebuildParameter,
    'torch._utils._rebuild_parameter_with_state': rebuildParameter,
    'torch._tensor._rebuild_from_type_v2': ([rebuild, , args]) => {
      if (!isGlobal(rebuild) || !Array.isArray(args)) throw damaged('a tensor lacks the parts that it is made of');
      if (rebuild.name === 'torch._tensor._rebuild_from_type_v2') throw damaged('a tensor is made of itself');
      return rebuild.call(args);
    },
  };

  return readPickle(
    bytes,
    start,
    {
      global(name): PickleGlobal {
        if (Object.hasOwn(meaningOf, name)) return {kind: 'global', name, call: meaningOf[name]};
        // Everything else is not looked up and not called: paths, dates, options, whole models.
        return {kind: 'global', name, call: () => ({kind: 'blank', name}) satisfies Blank};
      },
      persistent(id) {
        const [tag, type, key, , length, view] = Array.isArray(id) ? (id as unknown[]) : [];
        if (tag !== 'storage' || !isGlobal(type) || typeof key !== 'string' || !isCount(length)) {
          throw damaged('a storage lacks its type, key or length');
        }
        const dtype = storageDtype(type.name);
        // Types that are newer than this reader: their tensors stay blanks.
        if (!dtype) return {kind: 'blank', name: type.name} satisfies Blank;
        const storage: TorchStorage = {kind: 'storage', key, dtype, length, viewOffset: 0};
        if (storages.get(key) && storages.get(key)?.dtype !== dtype) {
          throw damaged(`storage "${printableName(key)}" has two types`);
        }
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
  return Array.isArray(value) && value.length <= MAX_AXES && value.every(isCount);
}
