/** Runs the tests: all of them, or the files and folders named; options go to Node's test runner. */
import {spawn} from 'node:child_process';
import {existsSync, readdirSync, statSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

function testsBelow(place) {
  if (!statSync(place).isDirectory()) return [place];
  return readdirSync(place)
    .sort()
    .flatMap((name) => {
      const inside = path.join(place, name);
      return statSync(inside).isDirectory() || name.endsWith('.test.ts') ? testsBelow(inside) : [];
    });
}

const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const places = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const missing = places.filter((place) => !existsSync(place));
if (missing.length > 0) {
  process.stderr.write(`no such file or folder: ${missing.join(', ')}\n`);
  process.exit(1);
}
const files = (places.length > 0 ? places : [path.join(root, 'test')]).flatMap(testsBelow);
if (files.length === 0) {
  process.stderr.write(`no test in ${places.join(', ')}\n`);
  process.exit(1);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major === 20 && minor < 6) {
  process.stderr.write(
    `the tests need Node 20.6 or later, this is ${process.version}; the package itself needs 20.0\n`,
  );
  process.exit(1);
}
// By default Node runs one file less at a time than there are processors: one on a machine with two.
const atOnce = major > 20 || minor >= 10 ? ['--test-concurrency=2'] : [];
const runner = ['--import', 'tsx', '--test', '--test-reporter=spec', ...atOnce, ...options, ...files];
const child = spawn(process.execPath, runner, {cwd: root, stdio: 'inherit'});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
