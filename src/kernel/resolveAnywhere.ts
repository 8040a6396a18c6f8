import Module, {createRequire} from 'node:module';
import path from 'node:path';
import {importable, installed, splitRequest} from './packages';

/** The functions of TypeScript's `sys` by which tslab's compiler looks for declarations. */
interface TypeScriptSystem {
  fileExists(file: string): boolean;
  directoryExists(folder: string): boolean;
  readFile(file: string, encoding?: string): string | undefined;
  getDirectories(folder: string): string[];
  realpath?(file: string): string;
}

/**
 * Lets a notebook in any folder import this package and what it depends on, types included, as if they were installed
 * beside it. What is really installed there comes first.
 */
export function resolveAnywhere({
  root,
  notebooks,
  tslabFile,
}: {
  root: string;
  notebooks: string;
  tslabFile: string;
}): void {
  const folders = importable(root);
  const missing = (name: string) => (installed(name, notebooks) ? undefined : folders.get(name));
  resolveModules(notebooks, missing);
  resolveTypes(notebooks, tslabFile, missing);
}

type Missing = (name: string) => string | undefined;

function resolveModules(notebooks: string, missing: Missing): void {
  const loader = Module as unknown as {
    _resolveFilename(request: string, parent: {filename?: string} | undefined, ...rest: unknown[]): string;
  };
  const resolve = loader._resolveFilename;
  loader._resolveFilename = function (request, parent, ...rest) {
    try {
      return resolve.call(this, request, parent, ...rest);
    } catch (error) {
      const [name, inside] = splitRequest(request);
      const fromCell = parent?.filename && path.dirname(parent.filename) === notebooks;
      const folder = fromCell ? missing(name) : undefined;
      if (!folder) throw error;
      return createRequire(path.join(folder, 'package.json')).resolve(`./${inside}`);
    }
  };
}

function resolveTypes(notebooks: string, tslabFile: string, missing: Missing): void {
  const requireFromTslab = createRequire(tslabFile);
  const {sys} = requireFromTslab('@tslab/typescript-for-tslab') as {sys: TypeScriptSystem};
  const beside = `${slashes(path.join(notebooks, 'node_modules'))}/`;
  // tslab falls back to the types in its own node_modules, where npm puts none: it lifts them to a folder above.
  const ownTypes = slashes(path.join(path.dirname(tslabFile), '..', 'node_modules', '@types'));
  const nodeTypes = path.dirname(requireFromTslab.resolve('@types/node/package.json'));

  const forward = (file: string): string => {
    const at = slashes(file);
    if (at === `${ownTypes}/node` || at.startsWith(`${ownTypes}/node/`)) {
      return slashes(path.join(nodeTypes, at.slice(`${ownTypes}/node`.length)));
    }
    if (!at.startsWith(beside)) return file;
    const [name, inside] = splitRequest(at.slice(beside.length));
    const folder = missing(name);
    return folder ? slashes(path.join(folder, inside)) : file;
  };

  const {fileExists, directoryExists, readFile, getDirectories, realpath} = sys;
  sys.fileExists = (file) => fileExists(forward(file));
  sys.readFile = (file, encoding) => readFile(forward(file), encoding);
  sys.directoryExists = (folder) => slashes(folder) === ownTypes || directoryExists(forward(folder));
  sys.getDirectories = (folder) => (slashes(folder) === ownTypes ? ['node'] : getDirectories(forward(folder)));
  if (realpath) sys.realpath = (file) => realpath(forward(file));
}

function slashes(file: string): string {
  return file.replace(/\\/g, '/');
}
