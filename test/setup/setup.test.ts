import assert from 'node:assert/strict';
import {chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {storedZip} from '../reference/storedZip';
import {doctor, recentSetupFailure, setupEngine} from '../../src/setup';
import {engineFolder} from '../../src/engine/engineFolder';
import {engineSource} from '../../src/engine/sources';
import {engineFileFor, unpack} from '../../src/setup/unpackWheel';

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'unweave-setup-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

/** Sets variables of the environment for one test. */
function withEnvironment(t: TestContext, variables: Record<string, string>): void {
  const saved = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  t.after(() => {
    for (const [name, value] of saved) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}

/** A path that holds these shell scripts and nothing else, and an empty cache. */
async function withPrograms(t: TestContext, folder: string, scripts: Record<string, string>): Promise<void> {
  const bin = path.join(folder, 'bin');
  await mkdir(bin, {recursive: true});
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(path.join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(path.join(bin, name), 0o755);
  }
  withEnvironment(t, {
    PATH: bin,
    CXX: '',
    npm_execpath: '',
    XDG_CACHE_HOME: path.join(folder, 'cache'),
    UNWEAVE_BACKEND: '',
  });
}

const noNativeHere = () => {
  const source = engineSource();
  return 'unavailable' in source
    ? source.unavailable
    : process.platform === 'darwin' && 'the cache of macOS cannot be moved';
};

test('the set-up takes the two libraries, what lies beside them and the C headers from a wheel', () => {
  const targets: Record<string, string | undefined> = {
    'tensorflow/libtensorflow_cc.so.2': 'lib/libtensorflow_cc.so.2',
    'tensorflow/libtensorflow_framework.2.dylib': 'lib/libtensorflow_framework.2.dylib',
    'tensorflow_cpu_aws.libs/libomp-54bf90fd.so.5': 'tensorflow_cpu_aws.libs/libomp-54bf90fd.so.5',
    'tensorflow/include/tensorflow/c/eager/c_api.h': 'include/tensorflow/c/eager/c_api.h',
    'tensorflow/include/tsl/c/tsl_status.h': 'include/tsl/c/tsl_status.h',
    'tensorflow/include/tsl/platform/ctstring_internal.h': 'include/tsl/platform/ctstring_internal.h',
    'tensorflow/include/tensorflow/core/framework/tensor.h': undefined,
    'tensorflow/python/lib/libtensorflow_cc.so.2': undefined,
    'tensorflow/include/tensorflow/c/../../../../../x.h': undefined,
    'tensorflow/include/tensorflow/c/': undefined,
  };
  for (const [entry, target] of Object.entries(targets)) assert.equal(engineFileFor(entry), target, entry);
});

test('unpacking writes the wanted entries and reports every byte', async (t) => {
  const folder = await temporaryFolder(t);
  const archive = path.join(folder, 'archive.zip');
  await writeFile(archive, storedZip({'a/one.txt': 'first', 'a/two.txt': 'second', 'b.txt': 'other'}));
  let reported = [0, 0];
  await unpack(archive, path.join(folder, 'out'), (entry) => (entry.startsWith('a/') ? entry : undefined), {
    signal: new AbortController().signal,
    onBytes: (...numbers) => (reported = numbers),
  });
  assert.deepEqual((await readdir(path.join(folder, 'out', 'a'))).sort(), ['one.txt', 'two.txt']);
  assert.equal(await readFile(path.join(folder, 'out', 'a', 'two.txt'), 'utf8'), 'second');
  assert.deepEqual(reported, [11, 11]);
});

test('an archive entry that would leave its folder is refused', async (t) => {
  const folder = await temporaryFolder(t);
  const archive = path.join(folder, 'archive.zip');
  await writeFile(archive, storedZip({'../evil.txt': 'x'}));
  const options = {signal: new AbortController().signal, onBytes: () => {}};
  await assert.rejects(
    unpack(archive, path.join(folder, 'out'), (entry) => entry, options),
    /invalid relative path/,
  );
  await writeFile(archive, storedZip({'good.txt': 'x'}));
  await assert.rejects(
    unpack(archive, path.join(folder, 'out'), () => '../evil.txt', options),
    /leaves its folder/,
  );
});

test('without Python, or without a compiler, the set-up goes on with WebAssembly and says why', async (t) => {
  const unavailable = noNativeHere();
  if (unavailable) return t.skip(unavailable);
  const folder = await temporaryFolder(t);
  await withPrograms(t, folder, {});
  const withoutPython = await setupEngine({progress: false});
  assert.equal(withoutPython.name, 'wasm');
  assert.match(withoutPython.reason, /needs Python 3/);
  await withPrograms(t, folder, {
    python3: 'case "$*" in *platform*) echo 3.9.1;; *) echo "No module named pip" >&2; exit 1;; esac',
  });
  assert.match((await setupEngine({progress: false})).reason, /needs pip for python3 3\.9\.1/);
  await withPrograms(t, folder, {python3: PYTHON});
  assert.match((await setupEngine({progress: false})).reason, /needs a C\+\+ compiler/);
  assert.equal(recentSetupFailure(), undefined);
});

/** Answers for its version and pip's, and downloads a wheel that is none. */
const PYTHON = `case "$*" in
  *platform.python*) echo 3.11.7;;
  *--version) echo "pip 24.0 from somewhere";;
  *download*) for a in "$@"; do case "$a" in --dest=*) echo wrong > "\${a#--dest=}/tensorflow.whl";; esac; done;;
esac`;

test('a wheel with another digest is refused, not kept, and remembered as a failure', async (t) => {
  const unavailable = noNativeHere();
  if (unavailable) return t.skip(unavailable);
  const folder = await temporaryFolder(t);
  await withPrograms(t, folder, {python3: PYTHON, 'c++': 'echo compiler', npm: 'exit 0'});
  const labels = new Set<string>();
  await assert.rejects(
    setupEngine({progress: ({label}) => labels.add(label)}),
    /tensorflow\.whl has SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}: it is not the file to expect/,
  );
  assert.deepEqual(
    [...labels].map((label) => label.split(' ')[0]),
    ['installing', 'downloading'],
  );
  assert.match(recentSetupFailure() ?? '', /SHA-256/);
  assert.deepEqual(await readdir(path.join(folder, 'cache', 'unweave', 'downloads')), []);
  const source = engineSource();
  assert.ok(!('unavailable' in source));
  assert.deepEqual(await readdir(path.dirname(engineFolder(source.tensorflow))), [
    `${path.basename(engineFolder(source.tensorflow))}.failed.json`,
  ]);
});

test('a failing tool is named together with the log of what it printed', async (t) => {
  const unavailable = noNativeHere();
  if (unavailable) return t.skip(unavailable);
  const folder = await temporaryFolder(t);
  await withPrograms(t, folder, {
    python3: PYTHON,
    'c++': 'echo compiler',
    npm: 'case $1 in ci) echo no network; exit 7;; esac',
  });
  await assert.rejects(setupEngine({progress: false}), (error: Error) => {
    assert.match(error.message, /^installing tfjs-node failed \(exit 7\); .*setup\.log has what it printed$/);
    return true;
  });
  const log = await readFile(path.join(folder, 'cache', 'unweave', 'setup.log'), 'utf8');
  assert.match(log, /\$ npm ci .*\nno network/);
});

test('the doctor names Node, the engine and the tools', async () => {
  const found = await doctor();
  assert.equal(found.node, process.version);
  const text = found.toString();
  for (const word of ['Node', 'engine', 'cache', 'Python', 'C++ compiler', 'notebook kernel'])
    assert.ok(text.includes(word), word);
});
