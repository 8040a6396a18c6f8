/** Seeds that take more than a call to make. */
import path from 'node:path';
import {create} from 'tar';
import {mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {fromBufferPromise} from 'yauzl';
import {packageVersion} from '../../src/files/packageVersion';
import {zipOf} from '../reference/torchFiles';
import {filesOf, goldens, images, inFolder, sha256, type Files} from './seeds';
import type {Seed} from './types';

/** Without what it holds of the weights' values, which nobody looks at. */
export function layersModel(name: string): Seed[] {
  const files = filesOf(path.join(__dirname, '../formats/golden/keras', name));
  const own = Object.fromEntries(Object.entries(files).filter(([file]) => /^model\.json$|bin$/.test(file)));
  return inFolder(own, /./);
}

/** The archive as it is, and its description and weights one by one, with checksums that fit. */
export async function kerasArchives(): Promise<Seed[]> {
  const [archive] = goldens('keras', 'keras3-nested/model.keras');
  const members: Files = {};
  const zip = await fromBufferPromise(archive);
  for await (const entry of zip.eachEntry()) {
    const pieces: Buffer[] = [];
    for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece as Buffer);
    members[entry.fileName] = Buffer.concat(pieces);
  }
  const parts = Object.keys(members).map((name): Seed => ({
    bytes: members[name],
    files: (bytes) => ({'x.keras': zipOf({...members, [name]: bytes})}),
  }));
  return [{bytes: archive, files: (bytes) => ({'x.keras': bytes})}, ...parts];
}

/** The manifest with the checksum of the file that was damaged. */
export function sealedStatistics(all: Files, damaged: string): Files {
  const manifest = JSON.parse(all['manifest.json'].toString()) as {
    chunks: {file: string; sha256: string}[];
    sums: {file: string; sha256: string};
    layerFile: {file: string; sha256: string};
  };
  for (const named of [...manifest.chunks, manifest.sums, manifest.layerFile]) {
    if (named.file === damaged) named.sha256 = sha256(all[damaged]);
  }
  return {...all, 'manifest.json': Buffer.from(JSON.stringify(manifest))};
}

/** split.json with the checksums of the arrays and of itself, where it is JSON still. */
export function sealedSplit(all: Files): Files {
  try {
    const fields = JSON.parse(all['split.json'].toString()) as {sha256?: string; arrays: object};
    delete fields.sha256;
    const arrays = {...fields.arrays, sha256: sha256(all['split.safetensors'])};
    const text = JSON.stringify({...fields, arrays});
    return {...all, 'split.json': Buffer.from(JSON.stringify({...fields, arrays, sha256: sha256(text)}))};
  } catch {
    return all;
  }
}

export function plantedRows(): Seed[] {
  const perSet = {two: 0.5, pool: 0.25, unseen: null, served: 1};
  const score = {r: perSet, r2: perSet, leakShare: 0.1, edgeAccuracy: 0.9, adjustedRandIndex: 0.8, exactness: 1e-7, seconds: 1}; // prettier-ignore
  const scores = {negativeCosine: 0.1, negativeLeak: 0.2};
  const row = {
    tier: 'dense',
    plant: 0,
    channels: [1, 2],
    classes: [3, 4],
    importance: [0.5, 0.75],
    candidate: true,
    trueLeakShare: 0.1,
    rules: {published: score, random: {...score, chosen: {scale: 3}}},
    detection: {...scores, permuted: scores},
  };
  const lines = [{row}, {plant: 0, negatives: [{...scores, kind: 'natural', channels: [1], classes: [3, 4]}]}];
  const manifest = {format: 'unweave planted benchmark', formatVersion: 2, unweave: packageVersion(), seed: 1};
  const files = {
    'manifest.json': Buffer.from(JSON.stringify(manifest)),
    'rows.jsonl': Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
  };
  return inFolder(files, /rows/, {seal: sealedRows});
}

/** Each row with its checksum, where it is JSON still. */
function sealedRows(all: Files): Files {
  const sealed = (line: string) => {
    try {
      const said = JSON.parse(line) as object;
      return JSON.stringify({...said, sha256: sha256(JSON.stringify(said))});
    } catch {
      return line;
    }
  };
  return {...all, 'rows.jsonl': Buffer.from(all['rows.jsonl'].toString('latin1').split('\n').map(sealed).join('\n'), 'latin1')}; // prettier-ignore
}

export function cifar(): Seed[] {
  const record = Buffer.alloc(3073, 7);
  record[0] = 3;
  return [{bytes: Buffer.concat([record, record]), files: (bytes) => ({'x.bin': bytes})}];
}

export function tars(): Seed[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-tar-'));
  try {
    const [png] = images('grey4.png');
    const packed = (files: Files) => {
      for (const [name, bytes] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(folder, name)), {recursive: true});
        writeFileSync(path.join(folder, name), bytes);
      }
      const file = path.join(folder, 'x.tar');
      create({cwd: folder, file, sync: true, portable: true, mtime: new Date(0)}, Object.keys(files));
      return readFileSync(file);
    };
    const long = `b/${'long'.repeat(40)}.png`;
    const archives = [
      packed({'a/one.png': png, [long]: png}),
      packed({'one.png': png, 'one.cls': Buffer.from('0'), 'two.png': png, 'two.json': Buffer.from('{"label": 1}')}),
    ];
    return archives.map((bytes) => ({bytes, files: (damaged) => ({'x.tar': damaged})}));
  } finally {
    rmSync(folder, {recursive: true});
  }
}

/** Lists, and the images that they name. */
export function lists(): Seed[] {
  const [png] = images('grey4.png');
  const there = {'one.png': png, 'two.png': png, 'b/two.png': png};
  const contents = ['one.png,0\ntwo.png,1\n', 'path\tlabel\none.png\t0\nb/two.png\t2\n', 'one.png 3\ntwo.png 4\n'];
  return contents.map((content) => ({
    bytes: Buffer.from(content),
    files: (damaged) => ({...there, 'list.txt': damaged}),
  }));
}
