import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';

/** The folder of the package that a file belongs to: the nearest one upwards with a package.json of this name. */
export function packageRoot(from: string, name: string): string {
  for (const folder of ancestors(from)) {
    const manifest = path.join(folder, 'package.json');
    if (existsSync(manifest) && readManifest(manifest).name === name) return folder;
  }
  throw new Error(`no package.json of ${name} above ${from}`);
}

/** Folders of the package and of what it depends on, by name: what a notebook may import without installing it again. */
export function importable(root: string): Map<string, string> {
  const {name, dependencies = {}} = readManifest(path.join(root, 'package.json'));
  const folders = new Map([[name, root]]);
  for (const dependency of Object.keys(dependencies)) {
    const folder = installed(dependency, root);
    if (folder) folders.set(dependency, folder);
  }
  return folders;
}

/** Where a package is found from a folder, looking upwards through `node_modules` as Node does. */
export function installed(name: string, from: string): string | undefined {
  for (const folder of ancestors(from)) {
    const candidate = path.join(folder, 'node_modules', name);
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

/** `@scope/name/file` → [`@scope/name`, `file`] */
export function splitRequest(request: string): [name: string, rest: string] {
  const [, name = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.*))?$/.exec(request) ?? [];
  return [name, rest];
}

function* ancestors(folder: string): Generator<string> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    yield at;
    if (at === path.dirname(at)) return;
  }
}

function readManifest(file: string): {name: string; version: string; dependencies?: Record<string, string>} {
  return JSON.parse(readFileSync(file, 'utf8')) as {name: string; version: string};
}
