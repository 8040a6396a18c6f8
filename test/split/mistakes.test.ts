import assert from 'node:assert/strict';
import {test} from 'node:test';
import {findPolysemantic} from '../../src/concepts/find';
import {evaluateSplit} from '../../src/evaluate';
import {imageFiles} from '../../src/images';
import {InputError, InterruptError} from '../../src/common/errors';
import {collectRelevance} from '../../src/relevance/collect';
import {disentangle} from '../../src/split/disentangle';
import {verifySplit} from '../../src/split/verify';
import {eachEngine} from '../reference/engines';
import {smallImages, smallModel} from '../reference/smallNetworks';

const quiet = {progress: false as const};
const images = smallImages(16);

/** What a cell gets that passes values which its types forbid. */
async function refuses(call: () => unknown, message: RegExp): Promise<void> {
  await assert.rejects(
    async () => await call(),
    (error) => error instanceof InputError && message.test(error.message),
  );
}

eachEngine('a channel that was not found, or comes without concepts, gets advice', async () => {
  const model = smallModel({kind: 'conv', size: 1});
  const stats = await collectRelevance(model, images, {layer: 'studied', ...quiet});
  const found = findPolysemantic(stats, {tau: 0.05, p: 1, gamma: -1});
  assert.equal(found.length, 0);
  await refuses(
    () => disentangle(model, stats, found[0]),
    /no channel was given; where findPolysemantic found none, give it a larger gamma, or allPairs: true/,
  );
  await refuses(
    () => disentangle(model, stats, {channel: 3} as never),
    /no concepts were given for channel 3; give two or more, each of one or more classes, e\.g\. \{channel: 3, concepts: \[0, \[1, 2\]\]\}/,
  );
  await refuses(() => disentangle(model, stats, {channel: 3, concepts: [0]}), /^1 concept was given; at least two/);
});

eachEngine('a promise, a path or nothing in place of a model, images or results gets one sentence', async () => {
  const model = smallModel({kind: 'conv', size: 1});
  const stats = await collectRelevance(model, images, {layer: 'studied', ...quiet});
  const split = await disentangle(model, stats, {channel: 1, concepts: [0, 1]}, {rho: 0.5});
  const later = <T>(value: T) => Promise.resolve(value) as unknown as T;
  const options = {layer: 'studied', ...quiet};
  await refuses(() => collectRelevance(later(model), images, options), /^model: a promise; write await loadModel\(…\)/);
  await refuses(
    () => collectRelevance(model, later(images), options),
    /^images: a promise; write await imageFolder\(…\)/,
  );
  await refuses(
    () => collectRelevance(model, 'val' as never, options),
    /^images: the text "val"; write await imageFolder\(…\)/,
  );
  await refuses(() => findPolysemantic(later(stats)), /^statistics: a promise; write await collectRelevance\(…\)/);
  await refuses(() => disentangle(later(model), stats, {channel: 1, concepts: [0, 1]}), /^model: a promise/);
  await refuses(() => disentangle(model, later(stats), {channel: 1, concepts: [0, 1]}), /^statistics: a promise/);
  await refuses(
    () => disentangle(model, stats, {channel: 1, concepts: [0, 1]}, {images: later(images)}),
    /^images: a promise/,
  );
  for (const call of [verifySplit, evaluateSplit]) {
    await refuses(() => call(split, undefined as never, quiet), /^images: missing; write await imageFolder\(…\)/);
    await refuses(() => call(split, later(images), quiet), /^images: a promise/);
    await refuses(() => call(later(split), images, quiet), /^split: a promise; write await disentangle\(…\)/);
  }
});

eachEngine('an interrupted split or proof names the call', async () => {
  const model = smallModel({kind: 'conv', size: 1});
  const stats = await collectRelevance(model, images, {layer: 'studied', ...quiet});
  const target = {channel: 1, concepts: [0, 1]};
  const stopping = (after: number) => {
    const stop = new AbortController();
    return {signal: stop.signal, batchSize: 1, progress: ({done}: {done: number}) => done >= after && stop.abort()};
  };
  const stopped = (message: RegExp) => (error: Error) =>
    error instanceof InterruptError && (assert.match(error.message, message), true);
  for (const after of [0, 3]) {
    await assert.rejects(
      disentangle(model, stats, target, {images, rule: 'published', ...stopping(after)}),
      stopped(/^dividing channel 1 of studied was interrupted; nothing was kept$/),
    );
    const split = await disentangle(model, stats, target, {rho: 0.5});
    await assert.rejects(
      verifySplit(split, images, stopping(after)),
      stopped(/^verifying the split: interrupted after \d of 16 images$/),
    );
  }
});

test('an array of files that has other entries says what an entry is', async () => {
  const entry = /^invalid entry 1 of the files: .*; give \{file: "a\.png", label: 3\}, a path and a class index/;
  for (const wrong of ['b.png', {path: 'b.png', label: 1}, {file: 'b.png'}, undefined]) {
    await refuses(() => imageFiles([{file: 'a.png', label: 0}, wrong as never]), entry);
  }
  await refuses(() => imageFiles('a.png' as never), /^the files are no array; give \[\{file: "a\.png", label: 3\}/);
});

eachEngine('a ρ for a rule that has none is refused, and a rule that needs images says so', async () => {
  const model = smallModel({kind: 'conv', size: 1});
  const stats = await collectRelevance(model, images, {layer: 'studied', ...quiet});
  const target = {channel: 1, concepts: [0, 1]};
  await refuses(
    () => disentangle(model, stats, target, {images, rule: 'freeRidge', rho: 0.5}),
    /^rho 0\.5 was given to the rule freeRidge, which has none; leave rho out, or give rule one of published, gatedPublished$/,
  );
  await refuses(
    () => disentangle(model, stats, target, {rule: 'freeRidge'}),
    /^the rule freeRidge needs images of the concepts' classes; give images$/,
  );
});

eachEngine(
  'a split says where the channel hardly matters, and an evaluation where it looks at fitted images',
  async () => {
    const model = smallModel({kind: 'conv', size: 1});
    const stats = await collectRelevance(model, images, {layer: 'studied', ...quiet});
    const split = await disentangle(model, stats, {channel: 1, concepts: [0, 1]}, {images, ...quiet});
    assert.match(
      String(split),
      /channel 1 has a share of 0\.\d+ or more in (no image|only \d+ images?) of .*: what is divided there says little/,
    );
    const options = {tau: 0.01, randomSplits: 2, ...quiet};
    const seen = /the split was fitted on these images/;
    assert.match(String(await evaluateSplit(split, images, options)), seen);
    assert.doesNotMatch(String(await evaluateSplit(split, {...images, name: 'others'}, options)), seen);
    const byRho = await disentangle(model, stats, {channel: 1, concepts: [0, 1]}, {rho: 0.5});
    assert.doesNotMatch(String(await evaluateSplit(byRho, images, options)), seen);
  },
);
