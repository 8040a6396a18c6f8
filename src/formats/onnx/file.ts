import {readFile, realpath, stat} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../../common/errors';
import {counted} from '../../common/words';
import {readBytes, withBinaryFile} from '../../files/binaryFile';
import {decodeModel, type GraphMessage, type ModelMessage, type TensorMessage} from './proto';
import {byteLength} from './tensors';

export type OnnxModel = ModelMessage & {graph: GraphMessage};

/** Node reads no longer file at once, and ONNX's own messages end here. */
const LARGEST = 2 ** 31 - 1;

/**
 * An ONNX file with all of its weights: those that lie in other files of its folder are read too.
 * @throws InputError for a file that is missing, foreign or truncated, and for weights that are missing or lie outside its folder
 */
export async function readOnnxFile(file: string): Promise<OnnxModel> {
  const info = await stat(file).catch(() => undefined);
  if (!info?.isFile()) throw new InputError(`no ONNX file "${file}"; give the path of an .onnx file`);
  if (info.size > LARGEST) {
    throw new InputError(
      `"${file}" has ${info.size} bytes; an ONNX file has at most ${LARGEST}, larger weights lie beside it`,
    );
  }
  const model = decodeModel(await readFile(file), file);
  const tensors = externalTensors(model);
  const places = new Map<string, TensorMessage[]>();
  for (const tensor of tensors) {
    const place = placeOf(tensor, file);
    places.set(place, [...(places.get(place) ?? []), tensor]);
  }
  for (const [place, inside] of places) {
    if (!(await stat(place).catch(() => undefined))?.isFile()) {
      throw new InputError(
        `${counted(inside.length, 'weight')} of "${file}" ${inside.length === 1 ? 'lies' : 'lie'} in "${path.basename(place)}", which is not beside it; copy it there`,
      );
    }
    await refuseLinkOutside(place, file, inside[0].name);
    await withBinaryFile(place, async (data) => {
      for (const tensor of inside) {
        const {offset, length} = rangeOf(tensor);
        const needed = byteLength(tensor);
        if (length !== undefined && length !== needed) {
          throw new InputError(
            `tensor "${tensor.name}" of "${file}" needs ${needed} bytes, and ${length} are said to lie in "${path.basename(place)}"; the file is damaged`,
          );
        }
        tensor.rawData = await readBytes(data, offset, needed);
        tensor.dataLocation = 0;
        tensor.externalData = [];
      }
    });
  }
  return model;
}

function externalTensors(model: OnnxModel): TensorMessage[] {
  const found: TensorMessage[] = [];
  const visit = (graph: GraphMessage) => {
    found.push(...graph.initializer.filter(isExternal));
    for (const {attribute} of graph.node) {
      for (const {t, g} of attribute) {
        if (t && isExternal(t)) found.push(t);
        if (g) visit(g);
      }
    }
  };
  visit(model.graph);
  return found;
}

const isExternal = ({dataLocation}: TensorMessage) => dataLocation === 1;

const entry = ({externalData}: TensorMessage, key: string) => externalData.find((one) => one.key === key)?.value;

/** @throws InputError for a place outside the file's folder */
function placeOf(tensor: TensorMessage, file: string): string {
  const location = entry(tensor, 'location') ?? '';
  const folder = path.resolve(path.dirname(file));
  const place = path.resolve(folder, location);
  if (location === '' || !liesIn(place, folder)) throw outside(file, tensor.name, location);
  return place;
}

const liesIn = (place: string, folder: string) => place.startsWith(folder.replace(/[\\/]$/, '') + path.sep);

const outside = (file: string, weight: string, location: string) =>
  new InputError(
    `"${file}" takes weight "${weight}" from "${location}", which is outside its folder; such a file is refused`,
  );

/** Links may lead to where the file's own link leads, as in caches that keep files by their checksums. */
async function refuseLinkOutside(place: string, file: string, weight: string): Promise<void> {
  const [target, folder, origin] = await Promise.all(
    [place, path.dirname(path.resolve(file)), file].map((one) => realpath(one)),
  );
  if (!liesIn(target, folder) && !liesIn(target, path.dirname(origin))) throw outside(file, weight, target);
}

function rangeOf(tensor: TensorMessage): {offset: number; length?: number} {
  const [offset, length] = ['offset', 'length'].map((key) => entry(tensor, key));
  const isCount = (text: string) => /^\d{1,15}$/.test(text);
  for (const [what, text] of Object.entries({offset, length})) {
    if (text !== undefined && !isCount(text)) {
      throw new InputError(
        `tensor "${tensor.name}" has the external ${what} "${text}"; a whole number from 0 is needed`,
      );
    }
  }
  return {offset: Number(offset ?? 0), length: length === undefined ? undefined : Number(length)};
}
