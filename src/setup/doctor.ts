import {readable} from '../common/readable';
import {existsSync} from 'node:fs';
import path from 'node:path';
import {ensureBackend, type BackendChoice} from '../engine/choose';
import {cacheFolder, engineFolder, platformKey, readEngineManifest} from '../engine/engineFolder';
import {recentSetupFailure} from './setup';
import {engineSource} from '../engine/sources';
import {findCompiler, findPip, findPython, outputOf} from './tools';

/** What unweave finds on this machine: plain data for a bug report. Absent where there is none. */
export interface Diagnosis {
  node: string;
  /** Node's platform and processor, e.g. `linux-x64`. */
  platform: string;
  engine: Pick<BackendChoice, 'name' | 'version' | 'reason'>;
  cacheFolder: string;
  /** The native engine of the cache, and whether it is complete. */
  engineFolder?: string;
  engineInstalled: boolean;
  /** Why the last set-up failed, within the last hour. */
  setupFailure?: string;
  python?: string;
  pip?: string;
  compiler?: string;
  /** Jupyter's kernel names and folders, where Jupyter is. */
  kernels?: Record<string, string>;
  /** The kernel in which notebooks run TypeScript: `unweave`, else `tslab`. */
  notebookKernel: 'ready' | 'points at a missing file' | 'not registered' | 'no Jupyter';
  toString(): string;
}

/** Looks at Node, the engine, the tools that set-up needs, and Jupyter's kernels. Changes nothing but the choice of an engine. */
export async function doctor(): Promise<Diagnosis> {
  const source = engineSource();
  const folder = 'unavailable' in source ? undefined : engineFolder(source.tensorflow);
  const [{name, version, reason}, python, compiler, listing] = await Promise.all([
    ensureBackend(),
    findPython(),
    findCompiler(),
    outputOf('jupyter', ['kernelspec', 'list', '--json']),
  ]);
  const specs = parseKernels(listing);
  const found = {
    node: process.version,
    platform: platformKey(),
    engine: {name, version, reason},
    cacheFolder: cacheFolder(),
    engineFolder: folder,
    engineInstalled: folder !== undefined && readEngineManifest(folder) !== undefined,
    setupFailure: recentSetupFailure(),
    python: python && `${python.command} ${python.version}`,
    pip: python && (await findPip(python)),
    compiler: compiler && `${compiler.command}: ${compiler.version}`,
    kernels: specs && Object.fromEntries(Object.entries(specs).map(([kernel, spec]) => [kernel, spec.resource_dir])),
    notebookKernel: stateOf(specs),
  };
  return readable(found, describe);
}

interface KernelSpec {
  resource_dir: string;
  spec: {argv: string[]};
}

function parseKernels(listing: string | undefined): Record<string, KernelSpec> | undefined {
  if (listing === undefined) return undefined;
  try {
    return (JSON.parse(listing) as {kernelspecs: Record<string, KernelSpec>}).kernelspecs;
  } catch {
    return undefined;
  }
}

function stateOf(specs: Record<string, KernelSpec> | undefined): Diagnosis['notebookKernel'] {
  if (!specs) return 'no Jupyter';
  const spec = specs['unweave'] ?? specs['tslab'];
  if (!spec) return 'not registered';
  const files = spec.spec.argv.filter((argument) => path.isAbsolute(argument));
  return files.every((file) => existsSync(file)) ? 'ready' : 'points at a missing file';
}

function describe(found: Omit<Diagnosis, 'toString'>): string {
  const {engine} = found;
  const inCache = found.engineInstalled ? 'installed' : 'not installed: "npx unweave setup" installs it';
  const rows: [string, string | undefined][] = [
    ['Node', `${found.node} on ${found.platform}`],
    ['engine', `${engine.name}, ${engine.version} (${engine.reason})`],
    [
      'native engine',
      found.engineFolder === undefined ? `none for ${found.platform}` : `${inCache}; ${found.engineFolder}`,
    ],
    ['last set-up', found.setupFailure],
    ['cache', found.cacheFolder],
    ['Python', found.python ?? 'not found'],
    ['pip', found.pip ?? 'not found'],
    ['C++ compiler', found.compiler ?? 'not found'],
    ['notebook kernel', found.notebookKernel],
    ['Jupyter kernels', found.kernels && (Object.keys(found.kernels).join(', ') || 'none')],
  ];
  const shown = rows.filter((row): row is [string, string] => row[1] !== undefined);
  const width = Math.max(...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n');
}
