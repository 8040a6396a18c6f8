import assert from 'node:assert/strict';
import {join} from 'node:path';
import {test} from 'node:test';
import {cifar10, UnreadableImageError} from '../../src/images';
import {truncate} from 'node:fs/promises';
import {madeFolder} from './madeFolder';

/** Records of the binary version: label, red plane, green plane, blue plane. */
function records(...labels: number[]): Uint8Array {
  return Uint8Array.from(
    labels.flatMap((label, r) => [
      label,
      ...[1, 2, 3].flatMap((c) => Array.from({length: 1024}, (_, i) => (r + 10 * c + i) % 256)),
    ]),
  );
}

test('binary batches give interleaved pixels, labels, names and paths', async () => {
  const folder = await madeFolder({
    'data_batch_10.bin': records(9),
    'data_batch_2.bin': records(3, 0),
    'test_batch.bin': records(8),
    'batches.meta.txt': 'airplane\n',
  });
  const train = await cifar10(folder, {preset: 'cifar'});
  assert.deepEqual(train.paths, ['data_batch_2.bin/00000', 'data_batch_2.bin/00001', 'data_batch_10.bin/00000']);
  assert.deepEqual([...train.labelsFor(10)], [3, 0, 9]);
  assert.equal(train.classNamesFor(10)[9], 'truck');
  assert.equal(train.preset?.name, 'cifar');
  const pixels = await train.pixels(1, {height: 32, width: 32});
  assert.deepEqual([pixels.length, ...pixels.subarray(0, 6)], [3072, 11, 21, 31, 12, 22, 32]);
  assert.deepEqual([...(await cifar10(folder, {part: 'test'})).labelsFor(10)], [8]);
  assert.deepEqual(
    [...(await cifar10([join(folder, 'test_batch.bin'), join(folder, 'data_batch_2.bin')])).labelsFor(10)],
    [8, 3, 0],
  );
  assert.deepEqual((await cifar10(join(folder, 'test_batch.bin'))).paths, ['test_batch.bin/00000']);
});

test('files that are no batches, and labels beyond the outputs, are errors', async () => {
  const folder = await madeFolder({
    'data_batch_1.bin': records(1).subarray(1),
    'empty.bin': '',
    'label.bin': records(1, 77),
    'good.bin': records(7),
  });
  await assert.rejects(cifar10(folder), {name: 'InputError', message: /3072 bytes; it holds records of 3073 bytes/});
  await assert.rejects(cifar10(join(folder, 'empty.bin')), /0 bytes/);
  await assert.rejects(cifar10(join(folder, 'label.bin')), /label 77 in record 1; labels are 0 to 9/);
  await assert.rejects(cifar10(folder, {part: 'test'}), /no CIFAR-10 batches in .*test_batch\.bin/);
  await assert.rejects(cifar10('/nowhere'), {name: 'InputError'});
  await assert.rejects(cifar10([]), /give at least one file/);
  const images = await cifar10(join(folder, 'good.bin'));
  assert.throws(() => images.labelsFor(5), /invalid label: 7 of good\.bin\/00000; the model has outputs 0 to 4/);
});

test('a record that has been cut off since is unreadable', async () => {
  const folder = await madeFolder({'a.bin': records(1, 2)});
  const images = await cifar10(join(folder, 'a.bin'));
  await truncate(join(folder, 'a.bin'), 4000);
  await assert.rejects(images.pixels(1, {height: 32, width: 32}), UnreadableImageError);
});
