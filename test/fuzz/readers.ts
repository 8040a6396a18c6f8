/** What is fuzzed: a reader, and sound files of its format to damage. Readers run in a process of their own (child.ts). */
import {dirname} from 'node:path';
import {ensureBackend} from '../../src/engine';
import {withBinaryFile} from '../../src/files/binaryFile';
import {readSafetensors} from '../../src/files/safetensors';
import {readZipDirectory} from '../../src/files/zipArchive';
import {loadModel} from '../../src/formats/load';
import {saveModel} from '../../src/formats/save';
import {readCheckpoint} from '../../src/formats/torch';
import {cifar10, imageList, openImages, tarImages} from '../../src/images';
import {decodeRgb} from '../../src/images/decode';
import {readLabelFile} from '../../src/images/labelFile';
import {resolvePreset} from '../../src/images/presets';
import {UnreadableImageError} from '../../src/images/unreadable';
import {openResults} from '../../src/planted/results';
import {loadStatistics, saveStatistics} from '../../src/relevance/store';
import {loadSplit, saveSplit} from '../../src/split/store';
import {smallGraphModel} from '../reference/smallGraphModel';
import {smallModel} from '../reference/smallNetworks';
import {smallSplit} from '../reference/smallSplits';
import {writeVersion1} from '../reference/statisticsV1';
import {syntheticStatistics} from '../reference/syntheticStatistics';
import {floats, pickle, tensor, dict, text, zipOf, list, tuple, integer} from '../reference/torchFiles';
import * as made from './madeSeeds';
import {checkpoints, each, fingerprint, goldens, images, inFolder, madeFiles, safetensorsOf, texts} from './seeds';
import type {FuzzedReader} from './types';

const nothing = async (work: Promise<unknown> | (() => unknown)): Promise<undefined> => {
  await (typeof work === 'function' ? work() : work);
  return undefined;
};

/** A network as a user opens it, and looks at it. */
async function network(file: string, output?: string): Promise<string> {
  const model = await loadModel(file, {output});
  model.layers();
  const {hash} = model;
  model.dispose();
  return hash;
}

async function statistics(folder: string): Promise<string> {
  const {kernel, counts, inputSums, hits, images: about, shares} = await loadStatistics(folder);
  const arrays = {kernel, counts, inputSums, hits, labels: about.labels, channels: shares.channels, values: shares.values}; // prettier-ignore
  return fingerprint(Object.entries(arrays).map(([name, values]) => [name, {data: values}] as const));
}

async function split(folder: string): Promise<string> {
  await ensureBackend();
  const {parts, residue, original, model} = await loadSplit(folder, smallModel({kind: 'conv'}));
  const arrays = [...parts, residue, original].map((values, at) => [String(at), {data: values}] as const);
  return model.hash + fingerprint(arrays);
}

const savedStatistics = () => madeFiles((folder) => saveStatistics(syntheticStatistics({images: 8}), folder));

async function savedSplit() {
  await ensureBackend();
  return madeFiles((folder) => saveSplit(smallSplit({kind: 'conv'}), folder));
}

/** A format of networks, opened as a user does; `output` names one of several outputs. */
const ofNetworks = (
  name: string,
  entry: string,
  seeds: FuzzedReader['seeds'],
  {slow, output}: {slow?: boolean; output?: string} = {},
): FuzzedReader => ({name, entry, seeds, slow, read: (file) => nothing(network(file, output))});

/** To add a reader: its name, some sound files, and the call that reads one. */
export const READERS: readonly FuzzedReader[] = [
  {
    name: 'zip',
    entry: 'x.zip',
    seeds: () => each('x.zip', checkpoints('tensors.pth', 'zip64.pth')),
    read: (file) =>
      nothing(
        withBinaryFile(file, async (opened) => {
          const zip = await readZipDirectory(opened);
          for (const name of zip.names) await zip.locate(name);
        }),
      ),
  },
  {
    name: 'torch zip',
    entry: 'x.pth',
    seeds: () =>
      each('x.pth', checkpoints('tensors.pth', 'training.pth', 'tensors-protocol4.pth', 'parameters.pth'), {
        checked: true,
      }),
    read: async (file) => fingerprint(await readCheckpoint(file)),
  },
  {
    name: 'pickle, checksums right',
    entry: 'x.pth',
    seeds: () => {
      const storage = floats(1, 2, 3, 4, 5, 6);
      const value = dict({
        state_dict: dict({
          weight: tensor({length: 6, shape: [2, 3], strides: [3, 1]}),
          bias: tensor({length: 6, shape: [3], strides: [1]}),
        }),
        epoch: integer(7),
        names: list(text('a'), text('b'), tuple(text('c'), integer(2n ** 70n))),
      });
      return [
        {bytes: pickle(value), files: (bytes) => ({'x.pth': zipOf({'archive/data.pkl': bytes, 'archive/data/0': storage})})}, // prettier-ignore
      ];
    },
    read: (file) => nothing(readCheckpoint(file)),
  },
  {
    name: 'torch stream',
    entry: 'x.th',
    seeds: () => each('x.th', checkpoints('tensors-stream.pth', 'training-stream.th')),
    read: (file) => nothing(readCheckpoint(file)),
  },
  {
    name: 'safetensors',
    entry: 'x.safetensors',
    seeds: () => each('x.safetensors', checkpoints('tensors.safetensors')),
    read: (file) => nothing(readCheckpoint(file)),
  },
  {
    name: 'arrays',
    entry: 'x.safetensors',
    seeds: () =>
      each('x.safetensors', [
        safetensorsOf({a: {dtype: 'F32', shape: [2, 3]}, b: {dtype: 'I32', shape: [4]}, c: {dtype: 'U8', shape: []}}),
      ]),
    read: (file) => nothing(readSafetensors(file)),
  },
  ofNetworks(
    'ONNX',
    'x.onnx',
    () =>
    each('x.onnx', goldens('onnx', 'branches.ts17.onnx', 'residual.ts11.onnx', 'keras.tf2onnx15.onnx', 'shuffle.dynamo20.onnx', 'attention.ts17.onnx')), // prettier-ignore
  ),
  ofNetworks('Keras .h5', 'x.h5', () => each('x.h5', goldens('keras', 'keras2-adapted/model.h5')), {slow: true}),
  ofNetworks('Keras .keras', 'x.keras', made.kerasArchives, {slow: true, output: 'classes'}),
  ofNetworks('LayersModel', 'model.json', () => ['keras2-adapted', 'keras2-normalisations'].flatMap(made.layersModel)),
  ofNetworks('LayersModel, nested', 'model.json', () => ['keras2-nested', 'keras3-nested'].flatMap(made.layersModel), {
    output: 'classes',
  }),
  {
    name: 'saved model',
    entry: '',
    seeds: async () => {
      await ensureBackend();
      const files = await madeFiles((folder) => saveModel(smallModel({kind: 'conv'}), folder));
      return inFolder(files, /./, {checked: true});
    },
    read: (folder) => network(folder),
  },
  ofNetworks('graph model', 'model.json', () => {
    const {modelTopology, specs, data} = smallGraphModel();
    const json = {format: 'graph-model', modelTopology, weightsManifest: [{paths: ['weights.bin'], weights: specs}]};
    return inFolder({'model.json': Buffer.from(JSON.stringify(json)), 'weights.bin': data}, /json$/);
  }),
  {
    name: 'statistics',
    entry: '',
    seeds: async () => {
      const files = await savedStatistics();
      return [...inFolder(files, /safetensors$/, {checked: true}), ...inFolder(files, /json$/)];
    },
    read: statistics,
  },
  {
    name: 'statistics, checksums right',
    entry: '',
    seeds: async () => inFolder(await savedStatistics(), /safetensors$/, {seal: made.sealedStatistics}),
    read: (folder) => nothing(statistics(folder)),
  },
  {
    name: 'statistics of 0.1',
    entry: '',
    seeds: async () => inFolder(await madeFiles((folder) => writeVersion1(syntheticStatistics({images: 8}), folder)), /./), // prettier-ignore
    read: (folder) => nothing(statistics(folder)),
  },
  {name: 'split', entry: '', seeds: async () => inFolder(await savedSplit(), /./, {checked: true}), read: split},
  {
    name: 'split, checksums right',
    entry: '',
    seeds: async () => inFolder(await savedSplit(), /^split/, {seal: made.sealedSplit}),
    read: (folder) => nothing(split(folder)),
  },
  {
    name: 'planted results',
    entry: 'rows.jsonl',
    seeds: made.plantedRows,
    read: (file) => nothing(openResults(dirname(file), {seed: 1})),
  },
  {
    name: 'preset',
    entry: 'x.json',
    seeds: () =>
      texts(
        'x.json',
        JSON.stringify({name: 'own', shorterSide: 256, cropSide: 224, mean: [0.5, 0.4, 0.3], std: [1, 0.2, 1]}),
      ),
    read: (file) => nothing(() => resolvePreset(file)),
  },
  {
    name: 'labels',
    entry: 'labels.csv',
    seeds: () =>
      texts(
        'labels.csv',
        'file,label\na/one.png,0\n"b, two.png",1\n',
        '{"a/one.png": 0, "two.png": 3}',
        'val/one.JPEG 12\nval/two.JPEG 7\n',
        '{"image": "one.png", "label": 1}\n{"image": "two.png", "label": 2}\n',
      ),
    read: (file) => nothing(() => readLabelFile(file)),
  },
  {
    name: 'image',
    entry: 'x.png',
    seeds: () =>
      each('x.png', images('rgb.png', 'rgb.jpg', 'progressive.jpg', 'cmyk.jpg', 'lossy.webp', 'animated.webp', 'palette.png', 'profile16.png', 'grey4.png')), // prettier-ignore
    // An image that cannot be read is left out of a pass, or ends it by this very error.
    read: (file) =>
      nothing(
        decodeRgb(file, file, {exif: true, icc: true}).catch((error: unknown) => {
          if (!(error instanceof UnreadableImageError)) throw error;
        }),
      ),
  },
  {
    name: 'CIFAR-10',
    entry: 'x.bin',
    seeds: made.cifar,
    read: async (file) => {
      const list = await cifar10(file);
      list.labelsFor(10);
      return nothing(list.pixels(0, {height: 32, width: 32}));
    },
  },
  {
    name: 'tar',
    entry: 'x.tar',
    seeds: made.tars,
    read: async (file) => {
      const list = await tarImages(file);
      list.labelsFor(2);
      return nothing(() => list.classNamesFor(2));
    },
  },
  {
    name: 'list of images',
    entry: 'list.txt',
    seeds: made.lists,
    read: async (file) => {
      const list = await imageList(file);
      list.labelsFor(1000);
      return nothing(() => list.classNamesFor(1000));
    },
  },
];

/** What a user opens whatever a path holds with, for files that were made to do harm. */
export const OPENERS: readonly Pick<FuzzedReader, 'name' | 'read'>[] = [
  {name: 'any model', read: (file) => nothing(network(file))},
  {name: 'any statistics', read: (folder) => nothing(statistics(folder))},
  {name: 'any split', read: (folder) => nothing(split(folder))},
  {name: 'any labels', read: (file) => nothing(() => readLabelFile(file))},
  {name: 'any preset', read: (file) => nothing(() => resolvePreset(file))},
  {name: 'any results', read: (folder) => nothing(openResults(folder, {seed: 1}))},
  {
    name: 'any images',
    async read(place) {
      const list = await openImages(place);
      list.labelsFor(2);
      return nothing(list.pixels(0, {height: 8, width: 8}));
    },
  },
];

/** Readers that fail on purpose, by which the harness itself is tested. */
export const BROKEN: Readonly<Record<string, () => void>> = {
  '(throws)': () => {
    throw new TypeError('thrown on purpose');
  },
  '(hangs)': () => {
    for (;;);
  },
  '(ends)': () => process.abort(),
};
