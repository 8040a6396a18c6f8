/** Files made to do harm, each by its kind; what opens one says so in a sentence. */
import {execFileSync} from 'node:child_process';
import {cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {deflateSync} from 'node:zlib';
import {saveModel} from '../../src/formats/save';
import {decodeModel, encodeModel, type AttributeMessage, type ModelMessage} from '../../src/formats/onnx/proto';
import {saveStatistics} from '../../src/relevance/store';
import {saveSplit} from '../../src/split/store';
import {smallModel} from '../reference/smallNetworks';
import {smallSplit} from '../reference/smallSplits';
import {syntheticStatistics} from '../reference/syntheticStatistics';
import {dict, floats, integer, pickle, tensor, zipCheckpoint, zipOf} from '../reference/torchFiles';

/** Makes the file in an empty folder. @returns what is opened: a path in it, the folder itself where there is none */
type Make = (folder: string) => Promise<string | void> | string | void;

export interface HostileFile {
  /** One of the openers of `readers.ts`. */
  opener: string;
  make: Make;
  /** Where reading it is right: nothing harmful is in what is kept. */
  mayBeRead?: boolean;
}

const golden = (...parts: string[]) => path.join(__dirname, '../formats/golden', ...parts);
const write = (folder: string, name: string, content: string | Uint8Array) => {
  writeFileSync(path.join(folder, name), content);
  return name;
};

/** A tfjs model whose model.json is changed as text. */
const tfjs =
  (change: (json: string) => string): Make =>
  (folder) => {
    cpSync(golden('keras/keras2-adapted'), folder, {recursive: true});
    const file = path.join(folder, 'model.json');
    const before = readFileSync(file, 'utf8');
    const changed = change(before);
    if (changed === before) throw new Error('the change does nothing');
    writeFileSync(file, changed);
  };

const onnx =
  (change: (model: ModelMessage & {graph: NonNullable<ModelMessage['graph']>}) => void): Make =>
  (folder) => {
    const model = decodeModel(readFileSync(golden('onnx/residual.ts17.onnx')), 'golden');
    change(model);
    return write(folder, 'x.onnx', encodeModel(model));
  };

/** A node before all others, whose output an Add reads beside the first convolution's. */
const before = (opType: string, dims: number[], attribute: object[] = []) =>
  onnx(({graph}) => {
    const data = BigInt64Array.from(dims, BigInt);
    const shape = {name: 'huge', dims: [dims.length], dataType: 7, rawData: new Uint8Array(data.buffer)};
    graph.initializer.push({floatData: [], int32Data: [], int64Data: [], doubleData: [], uint64Data: [], stringData: [], externalData: [], dataLocation: 0, ...shape} as never); // prettier-ignore
    const first = graph.node[0];
    const [output] = first.output;
    graph.node.unshift({input: opType === 'Expand' ? [graph.initializer[0].name, 'huge'] : ['huge'], output: ['bomb'], opType, name: 'bomb', domain: '', attribute: attribute as AttributeMessage[], metadataProps: []} as never); // prettier-ignore
    graph.node.splice(2, 0, {input: [output, 'bomb'], output: ['added'], opType: 'Add', name: 'add', domain: '', attribute: [], metadataProps: []} as never); // prettier-ignore
    for (const node of graph.node.slice(3)) node.input = node.input.map((name) => (name === output ? 'added' : name));
  });

const statistics =
  (change: (manifest: Record<string, never>) => object | void): Make =>
  async (folder) => {
    await saveStatistics(syntheticStatistics({images: 8}), folder);
    const file = path.join(folder, 'manifest.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, never>;
    writeFileSync(file, JSON.stringify({...manifest, ...change(manifest)}));
  };

const fifo = (name: string): Make => (folder) => { execFileSync('mkfifo', [path.join(folder, name)]); return name; }; // prettier-ignore
const link = (to: string, name: string): Make => (folder) => { symlinkSync(to, path.join(folder, name)); return name; }; // prettier-ignore
const within = (make: Make, then: Make): Make => async (folder) => { await make(folder); await then(folder); }; // prettier-ignore
const replaced = (name: string | RegExp, then: (name: string) => Make, make: Make): Make => async (folder) => {
  await make(folder);
  const found = readdirSync(folder).find((entry) => (typeof name === 'string' ? entry === name : name.test(entry)))!;
  execFileSync('rm', [path.join(folder, found)]);
  await then(found)(folder);
}; // prettier-ignore

const savedModel: Make = (folder) => saveModel(smallModel({kind: 'conv'}), folder);
const savedSplit: Make = (folder) => saveSplit(smallSplit({kind: 'conv'}), folder);
const savedStatistics: Make = (folder) => saveStatistics(syntheticStatistics({images: 8}), folder);

const header = (json: string, body = 0): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
  return Buffer.concat([length, Buffer.from(json), Buffer.alloc(body)]);
};

/** A PNG of so many pixels, whose data are missing. */
function hugePng(side: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    const body = Buffer.concat([Buffer.from(type), data]);
    const {crc32} = require('node:zlib') as {crc32(bytes: Buffer): number}; // eslint-disable-line @typescript-eslint/no-require-imports
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([head, body, sum]);
  };
  const size = Buffer.alloc(13);
  size.writeUInt32BE(side, 0);
  size.writeUInt32BE(side, 4);
  size.set([8, 2, 0, 0, 0], 8);
  const data = deflateSync(Buffer.alloc(1000));
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', size), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]); // prettier-ignore
}

/** A tar header of 512 bytes. */
function tarHeader(name: string, size: string, type = '0', to = ''): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write('0000644\0', 100);
  block.write(size, 124, 12);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(to, 157);
  block.write('ustar\x0000', 257);
  block.write(`${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148); // prettier-ignore
  return block;
}

const model = 'any model';
const DEEP = '['.repeat(1e5) + ']'.repeat(1e5);

export const HOSTILE_FILES: Readonly<Record<string, HostileFile>> = {
  // zip
  'a zip bomb in place of the pickle': {opener: model, make: (f) => write(f, 'x.pth', zipOf({'archive/data.pkl': Buffer.alloc(2e8)}, {deflate: true}))}, // prettier-ignore
  'a zip bomb in place of a Keras description': {opener: model, make: (f) => write(f, 'x.keras', zipOf({'config.json': Buffer.alloc(2e8, ' '), 'metadata.json': '{}', 'model.weights.h5': ''}, {deflate: true}))}, // prettier-ignore
  'a zip whose members share their bytes': {
    opener: model,
    make(folder) {
      const zip = zipOf({'archive/data.pkl': pickle(dict({})), 'archive/data/0': floats(1, 2)});
      const second = zip.indexOf('PK\x01\x02', zip.indexOf('PK\x01\x02') + 4);
      zip.writeUInt32LE(0, second + 42);
      return write(folder, 'x.pth', zip);
    },
  },
  'a zip with one name twice': {opener: model, make: (f) => write(f, 'x.pth', zipOf([['a/data.pkl', pickle(dict({}))], ['a/data.pkl', pickle(dict({}))]]))}, // prettier-ignore
  'a zip of a hundred thousand members': {opener: model, make: (f) => write(f, 'x.pth', zipOf(Array.from({length: 60_000}, (_, i) => [`${i}`, ''] as const)))}, // prettier-ignore
  // pickles
  'a pickle of a million nested lists': {opener: model, make: (f) => write(f, 'x.pth', zipCheckpoint(Buffer.alloc(1e6, ']')))}, // prettier-ignore
  'a pickle that holds itself': {opener: model, make: (f) => write(f, 'x.pth', zipCheckpoint(Buffer.from('}q\x00X\x01\x00\x00\x00ah\x00s', 'latin1')))}, // prettier-ignore
  'a tensor of 4 TB over four bytes': {opener: model, make: (f) => write(f, 'x.pth', zipCheckpoint(dict({'conv1.weight': tensor({length: 1, shape: [1024, 1024, 1024, 1024], strides: [0, 0, 0, 0]})}), {0: floats(1)}))}, // prettier-ignore
  'a tensor with a negative offset': {opener: model, make: (f) => write(f, 'x.pth', zipCheckpoint(dict({'conv1.weight': tensor({length: 2, offset: -1, shape: [2], strides: [1]})}), {0: floats(1, 2)}))}, // prettier-ignore
  'a pickle with an integer of 256 MB': {opener: model, make: (f) => write(f, 'x.pth', zipCheckpoint(Buffer.from('\x8b\x00\x00\x00\x10\x01\x02', 'latin1')))}, // prettier-ignore
  'a pickle that calls os.system': {opener: model, make: (f) => write(f, 'x.pth', zipCheckpoint(Buffer.from('cos\nsystem\n(X\x07\x00\x00\x00touch xtR', 'latin1')))}, // prettier-ignore
  'a number where the names are': {opener: model, make: (f) => write(f, 'x.pth', zipCheckpoint(integer(2n ** 90n)))},
  // safetensors
  'safetensors with a negative offset': {opener: model, make: (f) => write(f, 'x.safetensors', header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}', 4))}, // prettier-ignore
  'safetensors of NaN bytes': {opener: model, make: (f) => write(f, 'x.safetensors', header('{"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,1e999]}}', 4))}, // prettier-ignore
  'safetensors with one name twice': {opener: model, make: (f) => write(f, 'x.safetensors', header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8))}, // prettier-ignore
  'a safetensors header nested without end': {opener: model, make: (f) => write(f, 'x.safetensors', header('{"a":'.repeat(500_000)))}, // prettier-ignore
  // model.json
  'a model.json nested without end': {opener: model, make: (f) => write(f, 'model.json', `{"modelTopology":${'['.repeat(2e6)}`)}, // prettier-ignore
  'a model.json nested deep, and closed': {
    opener: model,
    mayBeRead: true,
    make: tfjs((json) => json.replace('"modelTopology":', `"more": ${DEEP}, "modelTopology":`)),
  },
  'layers nested deep, under a checksum': {
    opener: model,
    async make(folder) {
      await savedModel(folder);
      const file = path.join(folder, 'model.json');
      const json = readFileSync(file, 'utf8');
      write(folder, 'model.json', json.replace('"modelTopology":{', `"modelTopology":{"more":${DEEP},`));
    },
  },
  'layers nested deep': {
    opener: model,
    make: tfjs((json) => json.replace(/"filters":\s*\d+/, `"filters": ${DEEP}`)),
  },
  'an input of a thousand million rows': {opener: model, make: tfjs((json) => json.replace(/"batch_input_shape":\s*\[null, (\d+), (\d+)/, '"batch_input_shape": [null, 1000000000, 1000000000'))}, // prettier-ignore
  'a number of a million digits': {opener: model, make: tfjs((json) => json.replace(/"filters":\s*\d+/, `"filters": ${'9'.repeat(1e6)}`))}, // prettier-ignore
  'a quoted number of a million digits': {opener: model, make: tfjs((json) => json.replace(/"filters":\s*\d+/, `"filters": "${'9'.repeat(1e6)}"`))}, // prettier-ignore
  'a kernel of a thousand million': {opener: model, make: tfjs((json) => json.replace(/"kernel_size":\s*\[\d+, \d+\]/, '"kernel_size": [1000000000, 1000000000]'))}, // prettier-ignore
  'weights outside the folder': {opener: model, make: tfjs((json) => json.replace('group1-shard1of1.bin', '../../../../etc/passwd'))}, // prettier-ignore
  'weights from a device': {opener: model, make: replaced(/bin$/, (name) => link('/dev/zero', name), savedModel)},
  'weights from a pipe': {opener: model, make: replaced(/bin$/, fifo, savedModel)},
  'a model.json that is a pipe': {opener: model, make: within(fifo('model.json'), () => {})},
  'a model.json that is a device': {opener: model, make: within(link('/dev/zero', 'model.json'), () => {})},
  'a model.json that is a folder': {opener: model, make: (f) => mkdirSync(path.join(f, 'model.json'))},
  'a model that is a link to itself': {opener: model, make: link('x.pth', 'x.pth')},
  'a checkpoint that is a pipe': {opener: model, make: fifo('x.pth')},
  'a checkpoint that is a device': {opener: model, make: link('/dev/zero', 'x.onnx')},
  // ONNX
  'an ONNX tensor of 2^50 numbers': {opener: model, make: onnx(({graph}) => { graph.initializer[0].dims = [2 ** 25, 2 ** 25] as never; })}, // prettier-ignore
  'an ONNX tensor of a negative size': {opener: model, make: onnx(({graph}) => { graph.initializer[0].dims = [-4, -4] as never; })}, // prettier-ignore
  'ONNX weights from a device': {opener: model, make: onnx(({graph}) => { Object.assign(graph.initializer[0], {dataLocation: 1, rawData: new Uint8Array(), externalData: [{key: 'location', value: '/dev/zero'}]}); })}, // prettier-ignore
  'an ONNX constant of 2^40 zeros': {opener: model, make: before('ConstantOfShape', [2 ** 20, 2 ** 20])},
  'an ONNX constant expanded to 2^40': {opener: model, make: before('Expand', [2 ** 20, 2 ** 20])},
  'an ONNX input of 2^40 pixels': {opener: model, make: onnx(({graph}) => { for (const dim of graph.input[0].type!.tensorType!.shape!.dim) dim.dimValue = 2 ** 20; })}, // prettier-ignore
  'ONNX nodes in a circle': {opener: model, make: onnx(({graph}) => { graph.node[0].input[0] = graph.node[graph.node.length - 1].output[0]; })}, // prettier-ignore
  'ONNX weights from a pipe': {
    opener: model,
    make(folder) {
      execFileSync('mkfifo', [path.join(folder, 'weights.bin')]);
      return onnx(({graph}) => { Object.assign(graph.initializer[0], {dataLocation: 1, rawData: new Uint8Array(), externalData: [{key: 'location', value: 'weights.bin'}]}); })(folder); // prettier-ignore
    },
  },
  // HDF5
  'an HDF5 file whose groups are elsewhere': {opener: model, make: h5((file) => { file.create_external_link?.('/etc/passwd', '/', 'model_weights'); })}, // prettier-ignore
  'an HDF5 file whose group is a link to itself': {opener: model, make: h5((file) => { file.create_soft_link?.('/model_weights', 'model_weights'); })}, // prettier-ignore
  'an HDF5 file of a hundred nested groups': {opener: model, make: h5((file) => { let group = file; for (let i = 0; i < 100; i++) group = group.create_group(`g${i}`); })}, // prettier-ignore
  // statistics and splits
  'statistics of a layer of 10^36 weights': {opener: 'any statistics', make: statistics(({layer}) => ({layer: {...(layer as object), shape: [1e9, 1e9, 1e9, 1e9]}}))}, // prettier-ignore
  'statistics of 2^53 classes': {opener: 'any statistics', make: statistics(() => ({classes: 2 ** 53 - 1}))},
  'statistics whose file is elsewhere': {opener: 'any statistics', make: statistics(({sums}) => ({sums: {...(sums as object), file: '../../../etc/passwd'}}))}, // prettier-ignore
  'statistics whose file is a device': {opener: 'any statistics', make: replaced(/^sums/, (name) => link('/dev/zero', name), savedStatistics)}, // prettier-ignore
  'statistics whose file is a pipe': {opener: 'any statistics', make: replaced(/^images/, fifo, savedStatistics)},
  'statistics whose manifest is a pipe': {opener: 'any statistics', make: within(fifo('manifest.json'), () => {})},
  'statistics whose manifest is a device': {opener: 'any statistics', make: within(link('/dev/zero', 'manifest.json'), () => {})}, // prettier-ignore
  'statistics with the fields of a prototype': {opener: 'any statistics', mayBeRead: true, make: statistics(() => JSON.parse('{"__proto__": {"polluted": true}, "collected": {"__proto__": {}, "constructor": {}}}') as object)}, // prettier-ignore
  'a split whose manifest is a pipe': {opener: 'any split', make: replaced('split.json', fifo, savedSplit)},
  'a split whose arrays are a device': {opener: 'any split', make: replaced('split.safetensors', (name) => link('/dev/zero', name), savedSplit)}, // prettier-ignore
  // labels, presets, results
  'labels that are a device': {opener: 'any labels', make: link('/dev/zero', 'labels.csv')},
  'labels that are a pipe': {opener: 'any labels', make: fifo('labels.csv')},
  'labels nested without end': {opener: 'any labels', make: (f) => write(f, 'labels.json', '['.repeat(3e6))},
  'labels nested deep, and closed': {opener: 'any labels', make: (f) => write(f, 'labels.json', '['.repeat(1e5) + ']'.repeat(1e5))}, // prettier-ignore
  'labels with a quote that never ends': {opener: 'any labels', make: (f) => write(f, 'labels.csv', `file,label\n"${'a,'.repeat(2e6)}`)}, // prettier-ignore
  'labels with one key twice': {opener: 'any labels', make: (f) => write(f, 'labels.json', '{"a.png": 1, "a.png": 2}')},
  'labels of ten thousand million': {opener: 'any labels', mayBeRead: true, make: (f) => write(f, 'labels.json', '{"a.png": 1e999, "b.png": 1e10}')}, // prettier-ignore
  'a preset of no numbers': {opener: 'any preset', make: (f) => write(f, 'x.json', '{"mean": ["NaN", 0, 0], "std": [1, 1, 1]}')}, // prettier-ignore
  'a preset that divides by zero': {opener: 'any preset', make: (f) => write(f, 'x.json', '{"mean": [0, 0, 0], "std": [0, 1e999, 1]}')}, // prettier-ignore
  'a preset with the fields of a prototype': {opener: 'any preset', make: (f) => write(f, 'x.json', '{"__proto__": {"mean": [0, 0, 0]}, "std": [1, 1, 1]}')}, // prettier-ignore
  'a preset that says one thing twice': {opener: 'any preset', make: (f) => write(f, 'x.json', '{"mean": [0, 0, 0], "std": [1, 1, 1], "m\\u0065an": [1, 1, 1]}')}, // prettier-ignore
  'a preset that is a device': {opener: 'any preset', make: link('/dev/zero', 'x.json')},
  'results whose rows are a device': {
    opener: 'any results',
    make(folder) {
      write(folder, 'manifest.json', '{"format": "unweave planted benchmark", "formatVersion": 2, "seed": 1}');
      symlinkSync('/dev/zero', path.join(folder, 'rows.jsonl'));
    },
  },
  'results whose manifest is a pipe': {opener: 'any results', make: within(fifo('manifest.json'), () => {})},
  // images
  'a folder of images that holds itself': {
    opener: 'any images',
    make(folder) {
      mkdirSync(path.join(folder, 'a'));
      symlinkSync('..', path.join(folder, 'a', 'loop'));
    },
  },
  'folders nested without end': {
    opener: 'any images',
    make: (f) => void mkdirSync(path.join(f, ...Array<string>(400).fill('d')), {recursive: true}),
  },
  'an archive in place of a folder of images': {opener: 'any images', make: (f) => write(f, 'x.zip', zipOf({'a/x.png': ''}))}, // prettier-ignore
  'images that are links to themselves': {opener: 'any images', make: within((f) => void mkdirSync(path.join(f, 'a')), link('x.png', 'a/x.png'))}, // prettier-ignore
  'a PNG of four thousand million pixels': {
    opener: 'any images',
    make(folder) {
      for (const name of ['a', 'b']) mkdirSync(path.join(folder, name));
      for (const name of ['a/one.png', 'b/two.png']) write(folder, name, hugePng(65_535));
    },
  },
  'an image that is a pipe': {
    opener: 'any images',
    make(folder) {
      for (const name of ['a', 'b']) mkdirSync(path.join(folder, name));
      for (const name of ['a/one.png', 'b/two.png']) execFileSync('mkfifo', [path.join(folder, name)]);
    },
  },
  'a tar whose file has a negative size': {opener: 'any images', make: (f) => write(f, 'x.tar', Buffer.concat([tarHeader('a/one.png', '-7777777777\0'), Buffer.alloc(1024)]))}, // prettier-ignore
  'a tar whose file is larger than all disks': {opener: 'any images', make: (f) => write(f, 'x.tar', Buffer.concat([tarHeader('a/one.png', '77777777777\0'), Buffer.alloc(1024)]))}, // prettier-ignore
  'a tar whose size is said twice': {opener: 'any images', make: (f) => write(f, 'x.tar', Buffer.concat([tarHeader('p', '00000000024\0', 'x'), Buffer.concat([Buffer.from('20 size=99999999999\n')], 512), tarHeader('a/one.png', '00000000000\0'), Buffer.alloc(1024)]))}, // prettier-ignore
  'a tar with a link to /etc/passwd': {opener: 'any images', make: (f) => write(f, 'x.tar', Buffer.concat([tarHeader('a/one.png', '00000000000\0', '2', '/etc/passwd'), tarHeader('b/two.png', '00000000000\0', '1', '/etc/passwd'), Buffer.alloc(1024)]))}, // prettier-ignore
  'a tar that is a pipe': {opener: 'any images', make: fifo('x.tar')},
  'a list that names devices': {
    opener: 'any images',
    make: (f) => write(f, 'list.csv', '/dev/zero.png,0\n/dev/zero,1\n'),
  },
  'a batch of CIFAR-10 that is a device': {opener: 'any images', make: link('/dev/zero', 'data_batch_1.bin')},
};

type Group = {
  create_group(name: string): Group;
  create_external_link?(file: string, target: string, name: string): unknown;
  create_soft_link?(target: string, name: string): unknown;
};

function h5(fill: (file: Group) => void): Make {
  return async (folder) => {
    const library = path.join(__dirname, '../../node_modules/h5wasm/dist/node/hdf5_hl.js');
    const h5wasm = (await import(pathToFileURL(library).href)) as {
      ready: Promise<unknown>;
      File: new (name: string, mode: string) => Group & {close(): void};
    };
    await h5wasm.ready;
    const name = path.join(folder, 'x.h5');
    const file = new h5wasm.File(name, 'w');
    fill(file);
    file.close();
    return 'x.h5';
  };
}
