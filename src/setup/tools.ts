import {execFile, spawn} from 'node:child_process';
import {openSync, closeSync, writeSync} from 'node:fs';
import path from 'node:path';
import {InputError, InterruptError} from '../common/errors';

/** A program that was found, as it is called. */
export interface Tool {
  command: string;
  /** What comes before the program's own arguments. */
  first: string[];
  version: string;
}

/** What a program prints, or undefined where it cannot be run or fails. */
export function outputOf(command: string, args: string[], timeout = 20_000): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, {timeout, windowsHide: true}, (error, stdout) =>
      resolve(error ? undefined : stdout.trim()),
    );
  });
}

/** Python 3; whether it has pip is another question. */
export async function findPython(): Promise<Tool | undefined> {
  for (const command of ['python3', 'python']) {
    const version = await outputOf(command, ['-c', 'import platform; print(platform.python_version())']);
    if (version?.startsWith('3.')) return {command, first: [], version};
  }
  return undefined;
}

/** pip's version under that Python. */
export async function findPip(python: Tool): Promise<string | undefined> {
  const line = await outputOf(python.command, ['-m', 'pip', '--version']);
  return line?.match(/^pip (\S+)/)?.[1];
}

/** The C++ compiler that `CXX` names, else the system's. */
export async function findCompiler(): Promise<Tool | undefined> {
  const [named, ...flags] = (process.env['CXX'] ?? '').split(/\s+/).filter(Boolean);
  for (const command of named ? [named] : ['c++', 'g++', 'clang++']) {
    const first = command === named ? flags : [];
    const version = await outputOf(command, [...first, '--version']);
    if (version !== undefined) return {command, first, version: version.split('\n', 1)[0]!};
  }
  return undefined;
}

/** The npm that runs this process, if one does, else the one on the path. */
export function npmTool(): Omit<Tool, 'version'> {
  const running = process.env['npm_execpath'];
  if (running && /^npm-cli\.c?js$/.test(path.basename(running))) return {command: process.execPath, first: [running]};
  return {command: 'npm', first: []};
}

export interface RunOptions {
  /** What the command does, for messages: `compiling TensorFlow's binding`. */
  purpose: string;
  cwd: string;
  /** A file that takes what the command prints. */
  log: string;
  signal: AbortSignal;
  env?: NodeJS.ProcessEnv;
}

/**
 * Runs a program to its end. What it prints goes to the log alone.
 * @throws InputError that names the log, where it fails
 * @throws InterruptError where it was stopped
 */
export function runLogged(
  command: string,
  args: string[],
  {purpose, cwd, log, signal, env}: RunOptions,
): Promise<void> {
  const output = openSync(log, 'a');
  writeSync(output, `\n$ ${[command, ...args].join(' ')}\n`);
  return new Promise<void>((resolve, reject) => {
    const child = spawn(command, args, {cwd, env: env ?? process.env, stdio: ['ignore', output, output]});
    let killing: NodeJS.Timeout | undefined;
    const stop = () => {
      child.kill('SIGTERM');
      killing ??= setTimeout(() => child.kill('SIGKILL'), 2000);
    };
    signal.addEventListener('abort', stop, {once: true});
    const settle = (failure?: string, by?: NodeJS.Signals | null) => {
      signal.removeEventListener('abort', stop);
      clearTimeout(killing);
      // On a terminal, Ctrl-C reaches the program before this process hears of it.
      if (signal.aborted || by === 'SIGINT') reject(new InterruptError(`${purpose} was interrupted`));
      else if (failure) reject(new InputError(`${purpose} failed (${failure}); ${log} has what it printed`));
      else resolve();
    };
    child.on('error', (error) => settle(error.message));
    child.on('close', (code, by) => settle(code === 0 ? undefined : `exit ${code ?? by}`, by));
    if (signal.aborted) stop();
  }).finally(() => closeSync(output));
}
