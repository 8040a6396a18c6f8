import assert from 'node:assert/strict';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, test} from 'node:test';
import {openModel} from '../../src/cli/common';
import {InputError} from '../../src/common/errors';
import {expectedWeights} from '../../src/formats/architectures';
import {seededWeights} from '../reference/seededWeights';
import {Checkpoint} from '../reference/torchCheckpoint';

const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-arch-'));
after(() => rmSync(folder, {recursive: true}));

test('the architecture that statistics or a split recorded is used whatever the file is called', async () => {
  const checkpoint = new Checkpoint();
  const bytes = checkpoint.file(checkpoint.state([...seededWeights(expectedWeights('resnet20', 4))]));
  const names = ['model_best.pth.tar', 'last.ckpt', 'epoch=12-val_acc=0.91.ckpt', 'pytorch_model.bin', 'net.pkl', 'net', 'net.v2.final', 'ck.PT']; // prettier-ignore
  for (const name of names) {
    const file = path.join(folder, name);
    writeFileSync(file, bytes);
    const model = await openModel(file, {}, {arch: 'resnet20', of: 'statistics are'});
    assert.equal(model.arch, 'resnet20', name);
    await assert.rejects(openModel(file, {}, {arch: 'resnet32', of: 'split is'}), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(
        error.message,
        /^the split is of a resnet32, and ".*" is none: the weights of .* do not fit resnet32/,
      );
      return true;
    });
    assert.equal((await openModel(file, {arch: 'resnet20'}, {arch: 'resnet32', of: 'split is'})).arch, 'resnet20');
  }
});
