import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before} from 'node:test';
import sharp from 'sharp';
import {buildArchitecture} from '../../src/formats/architectures';
import {readCheckpoint} from '../../src/formats/torch';
import type {Graph} from '../../src/network/graph';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {logitError} from '../reference/logitError';
import {sharedData, sharedJson} from '../reference/sharedData';

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

eachEngine('a published CIFAR network, of the older stream, computes the logits that PyTorch computes', async (t) => {
  const file = sharedData(t, 'models/resnet20-12fca82f.th');
  const reference = sharedJson<{files: string[]; logits: number[][]}>(t, 'reference/resnet20-layer3.2.conv2.json');
  if (!file || !reference) return;
  const graph = buildArchitecture('resnet20', await readCheckpoint(file));
  const chosen = reference.files.map((_, i) => i).filter((i) => i % 20 === 0);
  const images = new Float32Array(chosen.length * 32 * 32 * 3);
  for (const [position, i] of chosen.entries()) {
    const pixels = await sharp(sharedData(t, 'cifar10/train', reference.files[i]))
      .removeAlpha()
      .raw()
      .toBuffer();
    pixels.forEach((value, at) => {
      images[position * pixels.length + at] = (value / 255 - MEAN[at % 3]) / DEVIATION[at % 3];
    });
  }
  const error = await keepsTensorCount(() =>
    logitError(
      graph,
      images,
      chosen.map((i) => reference.logits[i]),
    ),
  );
  t.diagnostic(`relative error ${error.toExponential(1)} on ${chosen.length} images`);
  assert.ok(error < 1e-4, `relative error ${error}`);
});

const python = process.env['UNWEAVE_TORCH_PYTHON'] ?? 'python3';
const script = join(__dirname, '../reference/torch/writeResNet50.py');
let folder: string;
let shared: Graph | undefined;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resnet50-'));
});
after(() => rm(folder, {recursive: true}));

/** Whether PyTorch wrote its files; it does so once for both engines. */
function writtenByTorch(): boolean {
  if (existsSync(join(folder, 'logits.json'))) return true;
  try {
    execFileSync(python, ['-c', 'import torch, torchvision, numpy'], {stdio: 'ignore'});
  } catch {
    return false;
  }
  execFileSync(python, ['-B', script, folder], {stdio: ['ignore', 'ignore', 'inherit']});
  return true;
}

eachEngine('a ResNet-50 in every form that PyTorch writes computes the logits that PyTorch computes', async (t) => {
  if (!writtenByTorch()) {
    return t.skip('PyTorch with torchvision is not installed; UNWEAVE_TORCH_PYTHON names a Python that has them');
  }
  if (!shared) {
    const weights = await readCheckpoint(join(folder, 'resnet50.pth'));
    for (const form of ['resnet50.th', 'resnet50.safetensors']) {
      const file = join(folder, form);
      if (existsSync(file))
        assert.deepEqual(new Map([...(await readCheckpoint(file))].sort()), new Map([...weights].sort()), form);
      else t.diagnostic(`${form} is absent: the safetensors package is not installed`);
    }
    shared = buildArchitecture('resnet50', weights);
  }
  const graph = shared;
  const images = new Float32Array(Uint8Array.from(readFileSync(join(folder, 'images.bin'))).buffer);
  const logits = JSON.parse(readFileSync(join(folder, 'logits.json'), 'utf8')) as number[][];
  const error = await keepsTensorCount(() => logitError(graph, images, logits));
  t.diagnostic(`relative error ${error.toExponential(1)}`);
  assert.ok(error < 1e-4, `relative error ${error}`);
});
