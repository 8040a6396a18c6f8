import assert from 'node:assert/strict';
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';

const source = path.resolve(__dirname, '..', '..', 'src');

/** Folder → folders beside it in the room that its files import from; what a folder shares with one inside it is no circle. */
function importsByFolder(room: string): Map<string, Set<string>> {
  const files = (readdirSync(room, {recursive: true}) as string[]).filter((name) => name.endsWith('.ts'));
  const graph = new Map<string, Set<string>>();
  for (const file of files) {
    const folder = path.dirname(path.join(room, file));
    const imports = graph.get(folder) ?? new Set();
    graph.set(folder, imports);
    for (const [, target] of readFileSync(path.join(room, file), 'utf8').matchAll(/from '(\.[^']*)'/g)) {
      const resolved = path.resolve(folder, target);
      const isFolder = files.includes(path.relative(room, path.join(resolved, 'index.ts')));
      const at = isFolder ? resolved : path.dirname(resolved);
      const nested = (at + path.sep).startsWith(folder + path.sep) || (folder + path.sep).startsWith(at + path.sep);
      if (!nested && (at + path.sep).startsWith(room + path.sep)) imports.add(at);
    }
  }
  return graph;
}

/** A circle of folders, if there is one. */
function circleIn(graph: Map<string, Set<string>>): string[] | undefined {
  const done = new Set<string>();
  const walk = (folder: string, trail: string[]): string[] | undefined => {
    if (trail.includes(folder)) return [...trail.slice(trail.indexOf(folder)), folder];
    if (done.has(folder)) return undefined;
    for (const next of graph.get(folder) ?? []) {
      const circle = walk(next, [...trail, folder]);
      if (circle) return circle;
    }
    done.add(folder);
    return undefined;
  };
  for (const folder of graph.keys()) {
    const circle = walk(folder, []);
    if (circle) return circle;
  }
  return undefined;
}

for (const room of readdirSync(source, {withFileTypes: true}).filter((entry) => entry.isDirectory())) {
  test(`no folders inside ${room.name} import one another in a circle`, () => {
    const circle = circleIn(importsByFolder(path.join(source, room.name)));
    assert.equal(circle?.map((folder) => path.relative(source, folder)).join(' → '), undefined);
  });
}

/** The files of `src/` that import values, not types alone, from a package. */
function importers(packageName: string): string[] {
  const files = (readdirSync(source, {recursive: true}) as string[]).filter((name) => name.endsWith('.ts'));
  const pattern = new RegExp(`(import (?!type )[^;]*from|import\\(|require\\() ?'${packageName}`);
  return files.filter((name) => pattern.test(readFileSync(path.join(source, name), 'utf8'))).sort();
}

test('tfjs-layers trains the demo and does nothing else', () => {
  const others = importers('@tensorflow/tfjs-layers').filter((file) => !file.startsWith(`demo${path.sep}`));
  assert.deepEqual(others, []);
});
