/**
 * The two containers of `torch.save`, neither of which is read further than the pickle here: the tensors' bytes are found by
 * position, and read when and if they are wanted. Formats: PyTorch, torch/serialization.py (`_save`, `_legacy_save`).
 */
import {InputError} from '../../common/errors';
import {printableName} from '../../common/printable';
import {ITEM_BYTES, readBytes, type BinaryFile} from '../../files/binaryFile';
import {readTorchPickle, type TorchStorage} from './torchPickle';
import {readZipDirectory} from '../../files/zipArchive';
import {ONNX_EXPORT} from './exportAdvice';
import {PickleEnds} from './pickle';
import {stateDictsIn} from './stateDicts';

/** What a file holds, and where the numbers of a storage lie. */
export interface TorchFile {
  root: unknown;
  order: 'little' | 'big';
  /** Byte position of a storage's first item. @throws InputError where the file lacks it or has less of it */
  locate(storage: TorchStorage): Promise<number>;
}

/** Most bytes of pickle that are read; the state dict of a ResNet-152 takes 150 kB, or 240 MB as NumPy arrays. */
const MAX_PICKLE = 512 * 2 ** 20;
/** Of the older stream so much is read first, since its pickles do not say how long they are. */
const FIRST_PIECE = 4 * 2 ** 20;

/** The zip archive of PyTorch 1.6 and later: `NAME/data.pkl`, a file `NAME/data/KEY` for each storage, all uncompressed. */
export async function readTorchZip(file: BinaryFile): Promise<TorchFile> {
  const zip = await readZipDirectory(file);
  const pickleName = zip.names.find((name) => /^([^/]*\/)?data\.pkl$/.test(name));
  if (pickleName === undefined) {
    if (
      zip.names.some((name) =>
        /(^|\/)(archive_format|models\/[^/]*\.json|serialized_exported_program\.json)$/.test(name),
      )
    ) {
      throw new InputError(`${file.name} is an exported program (.pt2), which holds more than weights; ${ONNX_EXPORT}`);
    }
    throw new InputError(
      `${file.name} is a zip archive without data.pkl, so torch.save did not write it; give a file made by torch.save(model.state_dict(), file)`,
    );
  }
  const prefix = pickleName.slice(0, -'data.pkl'.length);
  if (zip.names.some((name) => name === `${prefix}constants.pkl` || name.startsWith(`${prefix}code/`))) {
    throw new InputError(`${file.name} is a TorchScript archive, which holds a program; ${ONNX_EXPORT}`);
  }

  const pickle = await zip.locate(pickleName);
  if (pickle.length > MAX_PICKLE) {
    throw new InputError(`"${pickleName}" in ${file.name} has ${pickle.length} bytes; ${MAX_PICKLE} is the limit`);
  }
  const {value} = readTorchPickle(await readBytes(file, pickle.position, pickle.length), 0, file.name, new Map());

  let order: 'little' | 'big' = 'little';
  if (zip.names.includes(`${prefix}byteorder`)) {
    const {position, length} = await zip.locate(`${prefix}byteorder`);
    const text = length > 16 ? '' : Buffer.from(await readBytes(file, position, length)).toString('latin1');
    if (text !== 'little' && text !== 'big') {
      throw new InputError(
        `${file.name} is damaged: its byte order is "${printableName(text)}"; valid are little and big`,
      );
    }
    order = text;
  }
  return {
    root: value,
    order,
    locate: async ({key, dtype, length}) =>
      (await zip.locate(`${prefix}data/${key}`, length * ITEM_BYTES[dtype])).position,
  };
}

/** What the older stream starts with, as an integer (PyTorch, torch/serialization.py, MAGIC_NUMBER). */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/**
 * The stream of PyTorch before 1.6: pickles of a magic number, the protocol version, the machine, the object and the storages'
 * keys; then each storage as its length (int64) and items. Both are little-endian on every machine, whatever the third says
 * (PyTorch, torch/csrc/serialization.cpp, THPStorage_writeFileRaw).
 */
export async function readTorchStream(file: BinaryFile): Promise<TorchFile> {
  for (let length = FIRST_PIECE; ; length *= 8) {
    const head = await readBytes(file, 0, Math.min(file.size, length, MAX_PICKLE));
    try {
      return await readStreamPickles(file, head);
    } catch (error) {
      if (head.length === Math.min(file.size, MAX_PICKLE) || !(error instanceof PickleEnds)) throw error;
    }
  }
}

async function readStreamPickles(file: BinaryFile, head: Uint8Array): Promise<TorchFile> {
  const storages = new Map<string, TorchStorage>();
  let end = 0;
  const next = (): unknown => {
    const read = readTorchPickle(head, end, file.name, storages);
    end = read.end;
    return read.value;
  };
  const first = next();
  if (first !== MAGIC) {
    // pickle.dump of a dict of NumPy arrays has no storages.
    if (stateDictsIn(first).length > 0)
      return {root: first, order: 'little', locate: () => Promise.reject(noStorage())};
    throw new InputError(
      `${file.name} is a Python pickle that torch.save did not write; give a file made by torch.save(model.state_dict(), file)`,
    );
  }
  const version = next();
  if (version !== 1001) {
    const found = typeof version === 'number' ? version : printableName(version);
    throw new InputError(`${file.name} has the unknown stream version ${found}; 1001 is known`);
  }
  next();
  const root = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new InputError(`${file.name} is damaged: the list of its storages is missing`);

  const places = new Map<string, {position: number; length: number}>();
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage) {
      throw new InputError(
        `${file.name} is damaged: it lists the storage "${printableName(key)}", which no tensor has`,
      );
    }
    const lengthBytes = await readBytes(file, end, 8);
    const length = Number(new DataView(lengthBytes.buffer).getBigInt64(0, true));
    const position = end + 8;
    end = position + length * ITEM_BYTES[storage.dtype];
    if (length < 0 || end > file.size) {
      throw new InputError(
        `${file.name} is truncated or damaged: storage "${printableName(storage.key)}" of ${length} numbers ends at byte ${end}, and the file has ${file.size}`,
      );
    }
    places.set(storage.key, {position, length});
  }
  return {
    root,
    order: 'little',
    locate: async ({key, length}) => {
      const place = places.get(key);
      if (!place || place.length < length) {
        throw new InputError(
          `${file.name} is damaged: storage "${printableName(key)}" should hold ${length} numbers, and ${place?.length ?? 0} are there`,
        );
      }
      return place.position;
    },
  };
}

function noStorage(): Error {
  return new InputError('a pickle that torch.save did not write has no storages');
}
