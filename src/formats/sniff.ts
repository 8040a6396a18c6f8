import {readdir, stat} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import {readBytes, withBinaryFile} from '../files/binaryFile';
import {foreignKind} from '../files/foreignKind';
import {readZipDirectory} from '../files/zipArchive';
import {isKerasArchive} from './keras/readKeras';

/** What a network is stored as; `file` is what its reader is given. */
export interface FoundFormat {
  format: 'tfjs' | 'h5' | 'keras' | 'onnx' | 'checkpoint';
  file: string;
}

const KNOWN =
  'a tfjs model (its folder or its model.json), .keras, .h5, .onnx, or a PyTorch checkpoint (.pth, .pt, .safetensors)';

const BY_ENDING: Readonly<Record<string, FoundFormat['format']>> = {
  '.json': 'tfjs',
  '.h5': 'h5',
  '.hdf5': 'h5',
  '.keras': 'keras',
  '.onnx': 'onnx',
};

/**
 * The format of a network, by what the file holds; by its ending only where that says nothing, so that the reader says what is wrong.
 * @throws InputError where there is nothing, or something that is no network
 */
export async function formatOf(source: string): Promise<FoundFormat> {
  const info = await stat(source).catch(() => undefined);
  if (!info) throw new InputError(`no model at "${source}"; give ${KNOWN}`);
  if (info.isDirectory()) return inFolder(source);
  return withBinaryFile(source, async (file) => {
    const head = await readBytes(file, 0, Math.min(file.size, 512));
    const starts = (...bytes: number[]) => bytes.every((byte, at) => head[at] === byte);
    if (starts(0x89, 0x48, 0x44, 0x46)) return {format: 'h5', file: source};
    if (starts(0x50, 0x4b, 3, 4)) {
      const {names} = await readZipDirectory(file);
      return {format: isKerasArchive(names) ? 'keras' : 'checkpoint', file: source};
    }
    if (isJson(head)) return {format: 'tfjs', file: source};
    const ending = path.extname(source).toLowerCase();
    if (ending === '.pb' && starts(8, 1)) throw savedModel(source);
    if (isOnnx(head)) return {format: 'onnx', file: source};
    if (starts(0x80)) return {format: 'checkpoint', file: source};
    const kind = foreignKind(head);
    if (/TensorFlow Lite/.test(kind)) {
      throw new InputError(
        `"${source}" is ${kind}, which is not read; give the Keras or ONNX model that it was made from`,
      );
    }
    if (!/text file|unknown format|JSON|empty/.test(kind)) {
      throw new InputError(`"${source}" is ${kind}, not a network; give ${KNOWN}`);
    }
    if (Object.hasOwn(BY_ENDING, ending)) return {format: BY_ENDING[ending], file: source};
    return {format: 'checkpoint', file: source};
  });
}

/** JSON in any encoding, after a byte order mark and spaces. A safetensors file has its `{` at byte 8. */
function isJson(head: Uint8Array): boolean {
  const text = Buffer.from(head.subarray(0, 64))
    .toString('latin1')
    .replace(/^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/, '');
  return /^[\s\0]*\{[\s\0]*"/.test(text);
}

/** A ModelProto: `ir_version`, a small number, then another of its fields. */
const isOnnx = (head: Uint8Array) =>
  head[0] === 8 && head[1] >= 3 && head[1] <= 32 && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].includes(head[2]);

function savedModel(source: string): InputError {
  return new InputError(
    `"${source}" is a TensorFlow SavedModel, whose layers are gone; save the Keras model as .keras (model.save("model.keras")), or convert it to ONNX (tf2onnx)`,
  );
}

async function inFolder(folder: string): Promise<FoundFormat> {
  const entries = await readdir(folder);
  if (entries.includes('model.json')) return {format: 'tfjs', file: path.join(folder, 'model.json')};
  if (entries.includes('saved_model.pb')) throw savedModel(folder);
  const candidates = entries.filter((name) => /\.(keras|h5|hdf5|onnx|pth|pt|th|safetensors|json)$/i.test(name));
  const hint =
    candidates.length > 0
      ? `give the file itself, e.g. ${path.join(folder, candidates[0])}`
      : "a tfjs model's folder holds model.json and its weight files";
  throw new InputError(`no "model.json" in "${folder}"; ${hint}`);
}
