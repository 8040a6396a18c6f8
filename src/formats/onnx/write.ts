import {stat} from 'node:fs/promises';
import {InputError} from '../../common/errors';
import {refuseForeignFile, refuseInput, replaceFile} from '../../files/output';
import {HASH_VERSION} from '../../network/hash';
import type {Model} from '../../network/types';
import {dividedModel} from './divide';
import {exportedModel} from './exportGraph';
import {readOnnxFile, type OnnxModel} from './file';
import {METADATA_KEY} from './notes';
import {encodeModel, graphChecksum} from './proto';

/** Protocol buffers end here. */
const LARGEST = 2 ** 31 - 1;

/**
 * Saves a network, divided channels and all, as ONNX. One that was read from an ONNX file is that file with the divided layers widened: a
 * second convolution with the added kernels, Concat, and a 1×1 merge under the old output's name; all else, names and other outputs, stays. Any
 * other is written node by node, channels first, operator set 17, for any batch. All weights lie in the one file.
 * @param of a model, or a split, whose `model` is saved
 * @throws InputError where the file is the one that the model was read from, was not made by unweave (unless `force`), or cannot be written
 */
export async function saveOnnx(
  of: Model | {model: Model; before?: Model},
  file: string,
  {force = false}: {force?: boolean} = {},
): Promise<void> {
  const model = 'model' in of ? of.model : of;
  // A split that was loaded comes from its folder; its original is what was split.
  const source = ('model' in of ? of.before?.source : undefined) ?? model.source;
  if (!/\.onnx$/i.test(file)) throw new InputError(`"${file}" does not end in .onnx; give the name of an .onnx file`);
  await refuseInput(file, [model.source, source]);
  await refuseForeignFile(file, METADATA_KEY, force);
  const written = (await fromSource(model, source)) ?? exportedModel(model);
  const {hash, preset, classNames, origins} = model;
  const sha256 = graphChecksum(written.graph);
  const value = JSON.stringify({hashVersion: HASH_VERSION, hash, sha256, preset, classNames, origins});
  const metadataProps = [...written.metadataProps.filter(({key}) => key !== METADATA_KEY), {key: METADATA_KEY, value}];
  const bytes = written.graph.initializer.reduce((sum, {rawData}) => sum + rawData.length, 0);
  if (bytes > LARGEST)
    throw new InputError(`the weights of ${model.name} take ${bytes} bytes; an ONNX file holds at most ${LARGEST}`);
  await replaceFile(file, encodeModel({...written, metadataProps}));
}

async function fromSource({graph, inputShape}: Model, source?: string): Promise<OnnxModel | undefined> {
  if (source === undefined || !/\.onnx$/i.test(source) || !(await stat(source).catch(() => undefined)))
    return undefined;
  return dividedModel(await readOnnxFile(source), source, graph, [inputShape[0], inputShape[1]]);
}
