import {execFile} from 'node:child_process';
import {existsSync, readdirSync, statSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';

const root = path.resolve(__dirname, '../..');

const newest = (place: string): number =>
  statSync(place).isDirectory()
    ? Math.max(...readdirSync(place).map((name) => newest(path.join(place, name))))
    : statSync(place).mtimeMs;

/** Whether the build (`.cache/build` is written where it ends) is not older than any source. */
function buildIsFresh(): boolean {
  const stamp = path.join(root, '.cache', 'build');
  return existsSync(stamp) && statSync(stamp).mtimeMs > newest(path.join(root, 'src'));
}

/**
 * What Node is called with to run the command line: the build where it is fresh, as after `npm test` has made it, since
 * that starts in a third of the time and is what users run; else the sources.
 */
export const COMMAND: readonly string[] = buildIsFresh()
  ? [path.join(root, 'dist/cli/main.js')]
  : ['--import', require.resolve('tsx'), path.join(root, 'src/cli/main.ts')];

/** Runs the command line to its end. @param env beside this process's own variables */
export function runUnweave(
  args: readonly string[],
  {cwd, env}: {cwd?: string; env?: Record<string, string>} = {},
): Promise<{code: number; stdout: string; stderr: string}> {
  return promisify(execFile)(process.execPath, [...COMMAND, ...args], {cwd, env: {...process.env, ...env}}).then(
    ({stdout, stderr}) => ({code: 0, stdout, stderr}),
    (error: {code: number; stdout: string; stderr: string}) => error,
  );
}
