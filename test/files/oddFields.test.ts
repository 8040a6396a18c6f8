import assert from 'node:assert/strict';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {before, test, type TestContext} from 'node:test';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {resolvePreset} from '../../src/images/presets';
import {openResults} from '../../src/planted/results';
import {collectRelevance} from '../../src/relevance/collect';
import {loadStatistics} from '../../src/relevance/store';
import {loadSplit, saveSplit} from '../../src/split/store';
import {plantedRows, sealedSplit} from '../fuzz/madeSeeds';
import {filesOf} from '../fuzz/seeds';
import {smallImages, smallModel} from '../reference/smallNetworks';
import {smallSplit} from '../reference/smallSplits';
import {temporaryFolder} from '../reference/temporaryFolder';

before(() => ensureBackend());

type Place = readonly string[];

/** What stands in a field's place. */
const ODD = [undefined, null, 'x', -1.5, [], {}] as const;

/** Every field, those inside others too; of a list the first item. */
function* places(value: unknown, at: Place = []): Generator<Place> {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value).slice(0, Array.isArray(value) ? 1 : undefined)) {
    yield [...at, key];
    yield* places((value as Record<string, unknown>)[key], [...at, key]);
  }
}

function changed(value: object, place: Place, to: unknown): object {
  const copy = structuredClone(value) as Record<string, unknown>;
  let inside = copy;
  for (const key of place.slice(0, -1)) inside = inside[key] as Record<string, unknown>;
  if (to === undefined) delete inside[place[place.length - 1]];
  else inside[place[place.length - 1]] = to;
  return copy;
}

/** Changes each field in turn. @param free fields whose text or number may be any, or which may be missing, as pattern of `place=value` */
async function eachField(
  t: TestContext,
  json: object,
  write: (json: object) => void,
  read: () => Promise<unknown>,
  free: RegExp,
): Promise<void> {
  let refused = 0;
  for (const place of places(json)) {
    for (const to of ODD) {
      const odd = changed(json, place, to);
      if (JSON.stringify(odd) === JSON.stringify(json)) continue;
      const what = `${place.join('.')}=${JSON.stringify(to)}`;
      write(odd);
      const said = await read().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (said === undefined) {
        assert.match(what, free, `${what} was read`);
        continue;
      }
      assert.ok(said instanceof InputError, `${what}: ${String((said as Error).stack)}`);
      const named = [...place, 'format version', 'do not fit', 'another model', 'SHA-256', 'other than'];
      assert.ok(named.some((name) => !/^\d+$/.test(name) && said.message.includes(name)), `${what}: ${said.message}`); // prettier-ignore
      refused += 1;
    }
  }
  t.diagnostic(`${refused} refused in words`);
  write(json);
  await read();
}

const names = (...list: string[]) => list.map((name) => `${name.replace(/\./g, '\\.')}="x"`).join('|');

test('each missing or odd field of statistics is refused by its name', async (t) => {
  const out = path.join(await temporaryFolder(t), 'stats');
  await collectRelevance(smallModel({kind: 'conv'}), smallImages(8), {layer: 'studied', out, progress: false});
  const file = path.join(out, 'manifest.json');
  const any = names('model.name', 'model.hash', 'layer.name', 'classNames.0', 'preset.name', 'attribution', 'images.name', 'images.listHash'); // prettier-ignore
  const free = `^(${any}|preset\\.mean\\.0=-1.5|attribution=undefined|collected=(undefined|{})|collected\\.gates=undefined)$`;
  const json = JSON.parse(readFileSync(file, 'utf8')) as object;
  await eachField(t, json, (odd) => writeFileSync(file, JSON.stringify(odd)), () => loadStatistics(out), new RegExp(free)); // prettier-ignore
});

test('each missing or odd field of a split is refused by its name', async (t) => {
  const folder = await temporaryFolder(t);
  const model = smallModel({kind: 'conv'});
  await saveSplit(smallSplit({kind: 'conv'}), folder);
  const files = filesOf(folder);
  const write = (odd: object) => {
    const sealed = sealedSplit({...files, 'split.json': Buffer.from(JSON.stringify(odd))});
    writeFileSync(path.join(folder, 'split.json'), sealed['split.json']);
  };
  const read = async () => (await loadSplit(folder, model)).model.dispose();
  const free = new RegExp(`^(${names('concepts.0.classNames.0', 'rule')}|sources\\.0=\\[\\]|(arrays\\.)?sha256=.*)$`);
  await eachField(t, JSON.parse(String(files['split.json'])) as object, write, read, free);
});

test('each missing or odd field of benchmark results is refused by its name', async (t) => {
  const folder = await temporaryFolder(t);
  const [seed] = plantedRows();
  const lines = String(seed.bytes).trim().split('\n');
  const put = (texts: readonly string[]) => {
    for (const [name, bytes] of Object.entries(seed.files(Buffer.from(`${texts.join('\n')}\n`)))) {
      mkdirSync(folder, {recursive: true});
      writeFileSync(path.join(folder, name), bytes);
    }
  };
  // NaN is written as null, and measures may be below 0; the rules are those that were asked for.
  const free =
    /=(null|-1.5)$|=\[\]$|^row\.(rules(\.\w+)?|detection)=|chosen(\.\w+)?=|importance\.0=undefined$|^row\.rules=\{\}$/;
  for (const at of [0, 1]) {
    const write = (odd: object) => put(lines.map((line, n) => (n === at ? JSON.stringify(odd) : line)));
    await eachField(t, JSON.parse(lines[at]) as object, write, () => openResults(folder, {seed: 1}), free);
  }
});

test('each missing or odd field of a preset is refused by its name', async (t) => {
  const file = path.join(await temporaryFolder(t), 'own.json');
  const json = {name: 'own', shorterSide: 256, cropSide: 224, mean: [0.5, 0.4, 0.3], std: [1, 0.2, 1]};
  const write = (odd: object) => writeFileSync(file, JSON.stringify(odd));
  const free = /^(name=("x"|undefined)|(shorter|crop)Side=undefined|mean\.0=-1\.5)$/;
  await eachField(t, json, write, () => Promise.resolve().then(() => resolvePreset(file)), free);
});
