import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {chmod, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {promisify} from 'node:util';
import {submitCollect} from '../../src/cluster/submit';
import {ensureBackend} from '../../src/engine';
import {saveModel} from '../../src/formats/save';
import {loadModel} from '../../src/formats/load';
import {openImages} from '../../src/images';
import {collectRelevance} from '../../src/relevance/collect';
import {MANIFEST} from '../../src/relevance/manifest';
import {shardFolder} from '../../src/relevance/shards';
import {loadStatistics} from '../../src/relevance/store';
import {writePictures} from '../reference/pictureFiles';
import {smallModel} from '../reference/smallNetworks';
import {noSlurm, startSlurm, until} from '../reference/slurmCluster';

const CLI = path.join(__dirname, '../../dist/cli/main.js');
const [IMAGES, SHARDS] = [120, 4];

/**
 * Runs unweave and writes down what was run. At their first start the task of shard 1 is killed when it has a checkpoint, and that of shard 3 comes
 * to no end, until its node is lost. Where there is a file `slow`, the first start is so slow that its time ends before.
 */
const wrapper = (folder: string) => `#!/bin/sh
echo "$1 \${SLURM_ARRAY_TASK_ID:-}" >> ${folder}/runs
first() { [ "$1" = "\${SLURM_ARRAY_TASK_ID:-}" ] && [ ! -e ${folder}/first-$1 ]; }
if [ -e ${folder}/faults ] && [ "$1" = collect ] && first 1; then
  touch ${folder}/first-1
  ${process.execPath} ${CLI} "$@" &
  child=$!
  while [ ! -e ${shardFolder(path.join(folder, 'stats.shards'), 1, SHARDS)}/${MANIFEST} ]; do sleep 0.02; done
  kill -9 $child
  wait $child
  exit $?
fi
if [ -e ${folder}/faults ] && [ "$1" = collect ] && first 3; then
  echo "$SLURMD_NODENAME" > ${folder}/first-3.part
  mv ${folder}/first-3.part ${folder}/first-3
  sleep 1000
fi
if [ -e ${folder}/slow ] && [ "$1" = collect ]; then
  mv ${folder}/slow ${folder}/slow.js
  exec ${process.execPath} --require ${folder}/slow.js ${CLI} "$@"
fi
exec ${process.execPath} ${CLI} "$@"
`;

/** Lets a process sleep nineteen twentieths of its time as soon as there is a file. */
const slowFrom = (file: string) => `const nothing = new Int32Array(new SharedArrayBuffer(4));
const {existsSync} = require('node:fs');
setInterval(() => existsSync(${JSON.stringify(file)}) && Atomics.wait(nothing, 0, 0, 190), 200).unref();`;

const skip = noSlurm();

test(
  'an array of 4 on Slurm: a task killed, a node lost, one merge, the statistics of one process',
  {skip, timeout: 600_000},
  async (t) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-slurm-'));
    const at = (name: string) => path.join(folder, name);
    await chmod(folder, 0o755);
    t.after(() => rm(folder, {recursive: true, force: true, maxRetries: 5}));
    await ensureBackend();
    const small = smallModel({kind: 'conv', size: 3});
    await saveModel(small, at('model'));
    small.dispose();
    await writePictures(at('pictures'), IMAGES);
    await writeFile(at('unweave'), wrapper(folder), {mode: 0o755});
    await writeFile(at('faults'), '');
    const cluster = await startSlurm(folder);
    t.after(() => cluster.stop());
    const runs = async () =>
      (await readFile(at('runs'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => line.trim());

    const job = {model: at('model'), images: at('pictures'), layer: 'studied', out: at('stats'), shards: SHARDS};
    const notes: string[] = [];
    const lost = until('the task of shard 3', async () => (await readFile(at('first-3'), 'utf8')) !== '', 240).then(
      async () => cluster.lose((await readFile(at('first-3'), 'utf8')).trim()),
    );
    const merged = await submitCollect({
      ...job,
      command: [at('unweave')],
      flags: ['--batch', '1', '--checkpoint-seconds', '0', '--preset', 'raw'],
      slurm: ['--cpus-per-task', '1', '--chdir', folder],
      pollSeconds: 1,
      progress: ({note = ''}) => void notes.push(note),
    });
    await lost;
    const seen = await runs();
    assert.equal(seen.filter((line) => line.startsWith('merge')).length, 1, seen.join('; '));
    assert.deepEqual([0, 2].map((shard) => seen.filter((line) => line === `collect ${shard}`).length).every((count) => count >= 1), true); // prettier-ignore
    for (const shard of [1, 3])
      assert.ok(seen.filter((line) => line === `collect ${shard}`).length >= 2, seen.join('; '));
    assert.ok(
      notes.some((note) => /4 of 4 shards done/.test(note)),
      notes.join('; '),
    );

    const model = await loadModel(at('model'));
    const images = await openImages(at('pictures'));
    const alone = await collectRelevance(model, images, {layer: 'studied', preset: 'raw', progress: false});
    model.dispose();
    assert.deepEqual(merged.images.paths, alone.images.paths);
    assert.deepEqual(merged.shares.channels, alone.shares.channels);
    merged.shares.values.forEach((value, n) => assert.ok(Math.abs(value - alone.shares.values[n]) <= 1e-6));
    merged.inputSums.forEach((value, n) =>
      assert.ok(Math.abs(value - alone.inputSums[n]) <= 1e-6 * Math.max(1, Math.abs(value))),
    );
    assert.deepEqual(merged.counts, alone.counts);

    await t.test('a shard that is missing is submitted again, it alone', async () => {
      const before = (await runs()).length;
      await rm(shardFolder(at('stats.shards'), 2, SHARDS), {recursive: true});
      await rm(at('stats'), {recursive: true});
      await rm(at('faults'));
      const again = await submitCollect({
        ...job,
        command: [at('unweave')],
        flags: ['--batch', '1', '--checkpoint-seconds', '0', '--preset', 'raw'],
        slurm: ['--cpus-per-task', '1', '--chdir', folder],
        pollSeconds: 1,
        progress: false,
      });
      assert.deepEqual((await runs()).slice(before), ['collect 2', 'merge']);
      assert.deepEqual(again.shares.values, merged.shares.values);
    });

    await t.test('a task whose time ends leaves a checkpoint, is queued again, and goes on from there', async () => {
      await writeFile(at('slow'), slowFrom(path.join(shardFolder(at('limited.shards'), 0, 1), MANIFEST)));
      const before = (await runs()).length;
      const ended = await submitCollect({
        ...job,
        out: at('limited'),
        shards: 1,
        command: [at('unweave')],
        flags: ['--batch', '1', '--checkpoint-seconds', '0', '--preset', 'raw'],
        // Slurm looks at time limits now and then: it tells the task from half a minute on, and ends it after a minute.
        slurm: ['--cpus-per-task', '1', '--chdir', folder, '--time', '1', '--signal', 'B:TERM@30'],
        pollSeconds: 1,
        progress: false,
      });
      assert.deepEqual((await runs()).slice(before), ['collect 0', 'collect 0', 'merge']);
      const log = await readFile(path.join(at('limited.shards'), 'logs', 'shard-0.log'), 'utf8');
      assert.match(log, /interrupted after \d+ of 120 images; a checkpoint is in/);
      assert.deepEqual(ended.images.paths, alone.images.paths);
      assert.deepEqual(ended.shares.values, merged.shares.values);
    });

    await t.test('unweave submit --slurm submits, follows with one bar and ends with the statistics', async () => {
      const args = [
        'submit',
        job.model,
        job.images,
        '--layer',
        'studied',
        '--out',
        at('other'),
        '--shards',
        '2',
        '--json',
      ];
      const {stdout} = await promisify(execFile)(
        process.execPath,
        [CLI, ...args, '--slurm', '--sbatch', `--cpus-per-task 1 --chdir ${folder}`, '--', '--preset', 'raw'],
        {cwd: folder},
      );
      assert.equal((JSON.parse(stdout) as {images: number}).images, IMAGES);
      assert.equal((await loadStatistics(at('other'))).images.paths.length, IMAGES);
      assert.deepEqual((await readdir(at('other.shards'))).filter((name) => name.startsWith('shard-')).length, 2);
    });
  },
);
