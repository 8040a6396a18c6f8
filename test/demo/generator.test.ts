import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {DEMO_CLASSES, DEMO_SIZE, demoImage} from '../../src/demo/generator';
import {luma, randomPalette} from '../../src/demo/colours';
import {keyedRandom} from '../../src/common/random';
import {noise} from '../../src/demo/canvas';
import {SHAPES} from '../../src/demo/shapes';

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

test('a picture has 48 × 48 RGB pixels and there are 24 classes', () => {
  assert.equal(demoImage(0, 0, 0).length, DEMO_SIZE * DEMO_SIZE * 3);
  assert.equal(DEMO_SIZE, 48);
  assert.equal(new Set(DEMO_CLASSES).size, 24);
});

test('every class’s first picture has the bytes that it has on every machine', () => {
  const all = createHash('sha256');
  for (let k = 0; k < DEMO_CLASSES.length; k++) all.update(demoImage(k, 0, 3));
  assert.equal(all.digest('hex'), '1ec731a67efd5a08a680da7d5f9018819cbc5bd5e179af8849f5e6808633efec');
  assert.equal(digest(demoImage(0, 17, 1)), '5470953027adf73f');
  assert.equal(digest(demoImage(23, 4_294_967_295, 4_294_967_295)), 'a4fd3e81fd20d3d8');
});

test('a picture is the same whichever pictures were drawn before it', () => {
  const alone = demoImage(5, 8, 2);
  for (let k = 0; k < DEMO_CLASSES.length; k++) demoImage(k, k, 2);
  assert.deepEqual(demoImage(5, 8, 2), alone);
});

test('no two pictures share their random numbers, whatever differs between their keys', () => {
  const keys = [
    [0, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 1, 0],
    [1, 2, 3],
    [3, 2, 1],
    [2, 1, 3],
  ];
  const first = keys.map(([a, b, c]) => keyedRandom(a, b, c).uniform(0, 1));
  assert.equal(new Set(first).size, keys.length);
});

test('uniform numbers fill their range and noise has mean 0 and deviation 1', () => {
  const random = keyedRandom(1, 2, 3);
  const n = 40_000;
  const uniform = Array.from({length: n}, () => random.uniform(2, 4));
  const noises = Array.from({length: n}, () => noise(random));
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / n;
  assert.ok(uniform.every((value) => value >= 2 && value < 4));
  assert.ok(Math.abs(mean(uniform) - 3) < 0.02);
  assert.ok(Math.abs(mean(noises)) < 0.03);
  assert.ok(Math.abs(mean(noises.map((value) => value * value)) - 1) < 0.03);
});

test('whole numbers reach both ends of their range and nothing beyond', () => {
  const random = keyedRandom(4, 5, 6);
  const seen = new Set(Array.from({length: 500}, () => random.integer(5, 7)));
  assert.deepEqual([...seen].sort(), [5, 6, 7]);
});

test('paints can be told from the background and from each other by brightness alone', () => {
  for (let i = 0; i < 500; i++) {
    const {background, paints} = randomPalette(keyedRandom(9, 9, i));
    const apart = (a: number, b: number) => Math.abs(a - b);
    const [ground, first, second, third] = [background, ...paints].map(luma);
    assert.ok(apart(first, ground) >= 0.28 && apart(second, first) >= 0.28 && apart(second, ground) >= 0.15);
    assert.ok(apart(third, ground) >= 0.28);
  }
});

/** Where a shape, centred and upright, covers a 48 × 48 grid of its own frame. */
function silhouette(name: string, index: number): boolean[] {
  const layers = SHAPES[name](keyedRandom(7, 7, index));
  return Array.from({length: DEMO_SIZE * DEMO_SIZE}, (_, at) => {
    const [u, v] = [((at % DEMO_SIZE) + 0.5) / 19 - 24 / 19, (Math.floor(at / DEMO_SIZE) + 0.5) / 19 - 24 / 19];
    return layers.some(({distance}) => distance(u, v) < 0);
  });
}

/** Every pixel's topmost layer's paint, 0 for the ground. */
function painted(name: string, index: number): number[] {
  const layers = SHAPES[name](keyedRandom(7, 7, index));
  return Array.from({length: DEMO_SIZE * DEMO_SIZE}, (_, at) => {
    const [u, v] = [((at % DEMO_SIZE) + 0.5) / 19 - 24 / 19, (Math.floor(at / DEMO_SIZE) + 0.5) / 19 - 24 / 19];
    return layers.reduce((paint, layer) => (layer.distance(u, v) < 0 ? layer.paint + 1 : paint), 0);
  });
}

test('every shape fills a visible part of its frame and stays inside it', () => {
  for (const name of DEMO_CLASSES) {
    const inside = silhouette(name, 0);
    const share = inside.filter(Boolean).length / inside.length;
    assert.ok(share > 0.1 && share < 0.75, `${name} covers ${share}`);
    const border = inside.filter(
      (_, at) => at < DEMO_SIZE || at >= DEMO_SIZE * (DEMO_SIZE - 1) || at % DEMO_SIZE === 0,
    );
    assert.ok(!border.some(Boolean), `${name} reaches the border`);
  }
});

test('no two classes draw the same thing', () => {
  const drawn = DEMO_CLASSES.map((name) => painted(name, 0));
  for (let k = 0; k < drawn.length; k++) {
    for (let l = 0; l < k; l++) {
      const different = drawn[k].filter((paint, at) => paint !== drawn[l][at]).length / drawn[k].length;
      assert.ok(different > 0.06, `${DEMO_CLASSES[k]} and ${DEMO_CLASSES[l]} differ in ${different}`);
    }
  }
});

test('a class, an index or a seed that is none is refused with its range', () => {
  const refused = (work: () => unknown, message: RegExp) =>
    assert.throws(work, (error) => error instanceof InputError && message.test(error.message));
  refused(() => demoImage(24, 0, 0), /invalid class index: 24; it is a whole number from 0 to 23/);
  refused(() => demoImage(0, -1, 0), /invalid image index: -1/);
  refused(() => demoImage(0, 0, 0.5), /invalid seed: 0.5/);
});
