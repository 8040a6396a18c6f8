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

/** Fields of batch/v1 Job, with those of its pod, that the API's reference knows, as far as the Jobs may need them. */
const JOB_FIELDS = [
  'apiVersion kind metadata.name',
  'spec.completionMode spec.completions spec.parallelism spec.backoffLimit spec.template.spec.restartPolicy',
  'spec.template.spec.terminationGracePeriodSeconds',
  ...['name', 'image', 'command', 'resources.requests.cpu', 'resources.requests.memory'].map(
    (field) => `spec.template.spec.containers.${field}`,
  ),
  ...['name', 'mountPath'].map((field) => `spec.template.spec.containers.volumeMounts.${field}`),
  ...['name', 'persistentVolumeClaim.claimName'].map((field) => `spec.template.spec.volumes.${field}`),
].flatMap((fields) => fields.split(' '));

/** Paths of the fields that have a value, by their indentation. */
function yamlFields(yaml: string): string[] {
  const above: {indent: number; key: string}[] = [];
  return yaml.split('\n').flatMap((line) => {
    const [, indent, key, value] = /^([ -]*)"?(\w+)"?:(.*)$/.exec(line) ?? [];
    if (key === undefined) return [];
    while (above.length > 0 && above.at(-1)!.indent >= indent.length) above.pop();
    above.push({indent: indent.length, key});
    return value === '' ? [] : [above.map((one) => one.key).join('.')];
  });
}

test('the Jobs have fields that Kubernetes knows, and what it would refuse is refused', () => {
  const claim = {name: 'data', mountPath: '/data'};
  const yaml = kubernetesJobs(job, {image: 'i', claim, resources: {cpu: '4', memory: '8Gi'}});
  const found = yaml.split('---\n').map(yamlFields);
  assert.deepEqual(
    found.flat().filter((field) => !JOB_FIELDS.includes(field)),
    [],
  );
  assert.deepEqual(new Set(found.flat()), new Set(JOB_FIELDS), 'and all of them are used');
  const refused = (options: object, message: RegExp) =>
    assert.throws(
      () => kubernetesJobs(job, {image: 'i', ...options}),
      (error) => error instanceof InputError && message.test(error.message),
    );
  for (const name of ['My_Job', '-a', 'a-', 'x'.repeat(58)])
    refused({name}, /invalid name of jobs: ".*"; Kubernetes takes/);
  refused({claim: {name: 'data', mountPath: 'data'}}, /invalid mount path: "data"/);
  assert.match(kubernetesJobs(job, {image: 'i', name: 'x'.repeat(57)}), /name: "x{57}-merge"/);
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

test('submit says what is missing, prints Jobs, and prints the scripts of a dry run', async () => {
  const own = ['submit', 'model.onnx', 'images', '--layer', 'conv5', '--out', 'stats', '--shards', '3'];
  const [neither, both, noImage, yaml, claim, dry] = await Promise.all([
    unweave(...own),
    unweave(...own, '--slurm', '--kubernetes'),
    unweave(...own, '--kubernetes'),
    unweave(...own, '--kubernetes', '--image', 'me/unweave', '--claim', 'data:/data', '--', '--batch', '8'),
    unweave(...own, '--kubernetes', '--image', 'me/unweave', '--claim', 'data'),
    unweave(...own, '--slurm', '--dry-run', '--sbatch', '--time 2:00:00'),
  ]);
  assert.match(neither.stderr, /no cluster is named; give --slurm or --kubernetes/);
  assert.match(both.stderr, /--slurm or --kubernetes/);
  assert.match(noImage.stderr, /no container image is named; give --image/);
  assert.match(claim.stderr, /It is name:path, such as data:\/data/);
  assert.equal(yaml.code, 0, yaml.stderr);
  assert.match(yaml.stdout, /completions: 3\n/);
  assert.match(yaml.stdout, /"--shard", "auto\/3", "--batch", "8"\]/);
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /#SBATCH --array=0-2\n(.*\n)*#SBATCH --time 2:00:00\n(.*\n)*.* --shard auto\/3 /);
  assert.match(dry.stdout, /# after it:\n#!\/bin\/sh\n#SBATCH --job-name=unweave-merge\n/);
});
