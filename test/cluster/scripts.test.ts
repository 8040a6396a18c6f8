import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import path from 'node:path';
import {test} from 'node:test';
import {promisify} from 'node:util';
import {kubernetesJobs} from '../../src/cluster/kubernetes';
import {arrayScript, indexList, mergeScript} from '../../src/cluster/slurm';
import {submitCollect} from '../../src/cluster/submit';
import {InputError} from '../../src/common/errors';
import {runUnweave} from '../reference/commandArguments';
import {temporaryFolder} from '../reference/temporaryFolder';

const run = promisify(execFile);
const unweave = (...args: string[]) => runUnweave(args);

const job = {
  model: "it's/model.onnx",
  images: 'images',
  layer: 'layer4.2.conv3',
  out: 'stats/',
  shards: 5,
  flags: ['--batch', '64'],
  command: ['unweave'],
};

test('the scripts for Slurm name shards, logs and what is run, and quote what a shell would take apart', async (t) => {
  assert.equal(indexList([7, 0, 1, 2, 4]), '0-2,4,7');
  const array = arrayScript(job, [0, 1, 3], ['--partition', 'gpu', '--time', '2:00:00']);
  for (const line of [
    '#SBATCH --array=0-1,3',
    '#SBATCH --output=stats.shards/logs/shard-%a.log',
    '#SBATCH --partition gpu',
    '#SBATCH --time 2:00:00',
    "unweave collect 'it'\\''s/model.onnx' images --layer layer4.2.conv3 --out stats.shards --shard auto/5 --batch 64 &",
  ])
    assert.ok(array.split('\n').includes(line), `${line} in\n${array}`);
  const merge = mergeScript(job);
  assert.match(merge, /exec unweave merge stats\.shards --out stats\//);
  for (const script of [array, merge]) await run('sh', ['-n', '-c', script]);
  const out = path.join(await temporaryFolder(t), 'stats');
  await assert.rejects(
    submitCollect({...job, out, shards: 0, progress: false}),
    (error) => error instanceof InputError && /invalid number of shards: 0/.test(error.message),
  );
  const before = process.env['PATH'];
  process.env['PATH'] = '';
  try {
    await assert.rejects(
      submitCollect({...job, out, progress: false, pollSeconds: 0.01}),
      (error) => error instanceof InputError && /there is no sbatch here/.test(error.message),
    );
  } finally {
    process.env['PATH'] = before;
  }
});

test('the Jobs for Kubernetes are an indexed one and the merge', () => {
  const yaml = kubernetesJobs(job, {
    image: 'registry/unweave:1',
    parallelism: 2,
    claim: {name: 'data', mountPath: '/data'},
    resources: {cpu: '4', memory: '8Gi'},
  });
  assert.equal(
    yaml,
    `apiVersion: batch/v1
kind: Job
metadata:
  name: "unweave-collect"
spec:
  completionMode: Indexed
  completions: 5
  parallelism: 2
  backoffLimit: 100
  template:
    spec:
      restartPolicy: OnFailure
      terminationGracePeriodSeconds: 60
      containers:
        - name: "unweave-collect"
          image: "registry/unweave:1"
          command: ["unweave", "collect", "it's/model.onnx", "images", "--layer", "layer4.2.conv3", "--out", "stats.shards", "--shard", "auto/5", "--batch", "64"]
          resources:
            requests:
              "cpu": "4"
              "memory": "8Gi"
          volumeMounts:
            - name: "data"
              mountPath: "/data"
      volumes:
        - name: "data"
          persistentVolumeClaim:
            claimName: "data"
---
apiVersion: batch/v1
kind: Job
metadata:
  name: "unweave-collect-merge"
spec:
  backoffLimit: 100
  template:
    spec:
      restartPolicy: OnFailure
      terminationGracePeriodSeconds: 60
      containers:
        - name: "unweave-collect-merge"
          image: "registry/unweave:1"
          command: ["unweave", "merge", "stats.shards", "--out", "stats/", "--wait", "5"]
          resources:
            requests:
              "cpu": "4"
              "memory": "8Gi"
          volumeMounts:
            - name: "data"
              mountPath: "/data"
      volumes:
        - name: "data"
          persistentVolumeClaim:
            claimName: "data"
`,
  );
});

test('submit says what is missing, and prints Jobs', async () => {
  const own = ['submit', 'model.onnx', 'images', '--layer', 'conv5', '--out', 'stats', '--shards', '3'];
  const [neither, both, noImage, yaml, claim] = await Promise.all([
    unweave(...own),
    unweave(...own, '--slurm', '--kubernetes'),
    unweave(...own, '--kubernetes'),
    unweave(...own, '--kubernetes', '--image', 'me/unweave', '--claim', 'data:/data', '--', '--batch', '8'),
    unweave(...own, '--kubernetes', '--image', 'me/unweave', '--claim', 'data'),
  ]);
  assert.match(neither.stderr, /no cluster is named; give --slurm or --kubernetes/);
  assert.match(both.stderr, /--slurm or --kubernetes/);
  assert.match(noImage.stderr, /no container image is named; give --image/);
  assert.match(claim.stderr, /It is name:path, such as data:\/data/);
  assert.equal(yaml.code, 0, yaml.stderr);
  assert.match(yaml.stdout, /completions: 3\n/);
  assert.match(yaml.stdout, /"--shard", "auto\/3", "--batch", "8"\]/);
});
