/** NumPy's arrays as pickles hold them: a name for making an empty one, then its type, shape and bytes as a state. */
import {isBlank} from './pickle';

/** A NumPy array whose bytes stand in the pickle; row-major unless `fortran`. */
export interface NumpyArray {
  kind: 'numpy';
  /** As safetensors names it; undefined for a type that is no number, e.g. a list of Python objects. */
  dtype?: string;
  order: 'little' | 'big';
  shape: number[];
  fortran: boolean;
  bytes?: Uint8Array;
  build(state: unknown): void;
}

interface NumpyType {
  kind: 'numpy type';
  code: string;
  order: 'little' | 'big';
  build(state: unknown): void;
}

export function isNumpyArray(value: unknown): value is NumpyArray {
  return typeof value === 'object' && value !== null && (value as {kind?: unknown}).kind === 'numpy';
}

/** NumPy's codes of types; `l` and `L` are never written. */
const DTYPES: Readonly<Record<string, string>> = {
  f8: 'F64',
  f4: 'F32',
  f2: 'F16',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u1: 'U8',
  b1: 'BOOL',
};

const isType = (value: unknown): value is NumpyType =>
  typeof value === 'object' && value !== null && (value as {kind?: unknown}).kind === 'numpy type';

/** At most NumPy's 64 axes. */
const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length <= 64 &&
  value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);

function setType(array: NumpyArray, type: unknown): void {
  if (!isType(type)) return;
  array.dtype = Object.hasOwn(DTYPES, type.code) ? DTYPES[type.code] : undefined;
  array.order = type.order;
}

const setBytes = (array: NumpyArray, data: unknown): void => {
  if (data instanceof Uint8Array) array.bytes = data;
};

function emptyArray(): NumpyArray {
  const array: NumpyArray = {
    kind: 'numpy',
    order: 'little',
    shape: [],
    fortran: false,
    build(state) {
      // (version, shape, type, column-major, bytes)
      const [, shape, type, fortran, data] = Array.isArray(state) ? (state as unknown[]) : [];
      if (isShape(shape)) array.shape = shape;
      array.fortran = fortran === true;
      setType(array, type);
      setBytes(array, data);
    },
  };
  return array;
}

/** numpy.dtype('f4', False, True), whose state begins with a version and the byte order. */
function typeOf([code]: unknown[]): NumpyType {
  const type: NumpyType = {
    kind: 'numpy type',
    code: typeof code === 'string' ? code.replace(/^[<>|=]/, '') : '',
    order: typeof code === 'string' && code.startsWith('>') ? 'big' : 'little',
    build(state) {
      if (Array.isArray(state)) type.order = state[1] === '>' ? 'big' : 'little';
    },
  };
  return type;
}

/** numpy.core.numeric._frombuffer(bytes, type, shape, order): protocol 5. */
function fromBuffer([data, type, shape, order]: unknown[]): NumpyArray {
  const array = emptyArray();
  setBytes(array, data);
  setType(array, type);
  if (isShape(shape)) array.shape = shape;
  array.fortran = order === 'F';
  return array;
}

/** torch._utils._rebuild_device_tensor_from_numpy(array, …): tensors of devices without storages of their own. */
const firstOf = ([array]: unknown[]): unknown => (isNumpyArray(array) || isBlank(array) ? array : null);

/** What calling NumPy's names means. */
export const NUMPY_MEANINGS: Readonly<Record<string, (args: unknown[]) => unknown>> = {
  'numpy.core.multiarray._reconstruct': emptyArray,
  'numpy._core.multiarray._reconstruct': emptyArray,
  'numpy.core.numeric._frombuffer': fromBuffer,
  'numpy._core.numeric._frombuffer': fromBuffer,
  'numpy.dtype': typeOf,
  // Before protocol 3 bytes travel as a text of the same code points.
  '_codecs.encode': ([text, encoding]) =>
    typeof text === 'string' && encoding === 'latin1' ? Uint8Array.from(Buffer.from(text, 'latin1')) : null,
  'torch._utils._rebuild_device_tensor_from_numpy': firstOf,
};
