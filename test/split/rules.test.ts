import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {Matrix, solve} from 'ml-matrix';
import {ensureBackend} from '../../src/engine';
import {InputError} from '../../src/common/errors';
import {collectRelevance} from '../../src/relevance/collect';
import {disentangle} from '../../src/split/disentangle';
import {auroc} from '../../src/numerics/ranking';
import {patches} from '../../src/split/patches';
import {defaultRule, splitRule, SPLIT_RULES} from '../../src/split/rules';
import {shiftedSolver} from '../../src/split/rules/shiftedSolve';
import type {SplitSolution} from '../../src/split/types';
import {verifySplit} from '../../src/split/verify';
import {cautionsOf} from '../../src/split/split';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {
  slowEnergyMatch,
  slowFreeRidge,
  slowGatedPublished,
  slowGatedRidge,
  slowGatedWiener,
  slowPatches,
  slowScaledRidge,
} from '../reference/ruleOracles';
import {randomProblem, type RandomProblem} from '../reference/ruleProblems';
import {smallImages, smallModel, STUDIED_LAYERS, uniform} from '../reference/smallNetworks';

const SHAPES: Record<string, RandomProblem> = {
  'a 1×1 layer': {},
  'a 3×3 layer': {size: 3, seed: 2},
  'a 3×3 layer with stride 2 and three concepts': {size: 3, strides: 2, k: 3, seed: 3, images: 12},
  'a dilated layer': {size: 2, dilation: 2, padding: 'valid', seed: 4},
  'a 1×1 layer with four concepts and sparse inputs': {k: 4, zeros: 0.9, seed: 5},
  'a layer without images of other classes': {background: false, seed: 6},
  'so few positions that not 20 are active': {images: 1, size: 3, padding: 'valid', seed: 7},
};

function ownershipOf(solution: SplitSolution): Float64Array[] {
  assert.ok('ownership' in solution, 'an ownership is expected');
  return solution.ownership;
}

function kernelsOf(solution: SplitSolution): Float64Array[] {
  assert.ok('kernels' in solution, 'free kernels are expected');
  return solution.kernels;
}

function assertClose(actual: ArrayLike<number>[], expected: ArrayLike<number>[], tolerance: number, what: string) {
  assert.equal(actual.length, expected.length, what);
  const scale = Math.max(...expected.flatMap((row) => Array.from(row, Math.abs)));
  expected.forEach((row, j) => {
    for (let i = 0; i < row.length; i++) {
      const difference = Math.abs(actual[j][i] - row[i]);
      assert.ok(difference <= tolerance * scale, `${what} [${j}][${i}]: ${actual[j][i]}, not ${row[i]}`);
    }
  });
}

eachEngine('patches are what each tap reads, zeros beside the image', async () => {
  for (const [what, shape] of Object.entries(SHAPES)) {
    const {problem, oracle} = randomProblem(shape);
    const slow = oracle.concepts.map((concept) => slowPatches(problem.layer, concept));
    const fast: number[][] = [];
    await keepsTensorCount(async () => {
      for await (const {input} of problem.inputs!) {
        const rows = patches(problem.layer, input);
        fast.push(...((await rows.array()) as number[][]));
        rows.dispose();
      }
    });
    assertClose(fast, slow.flat(), 1e-6, what);
  }
});

test('one Lanczos basis solves (T·P + s·I)·x = q for every shift', () => {
  fc.assert(
    fc.property(fc.integer({min: 1, max: 12}), fc.integer({min: 1, max: 1e6}), (size, seed) => {
      const draw = uniform(seed, -1, 1);
      const square = () => new Matrix(Array.from({length: size}, () => Array.from({length: size}, draw)));
      const [A, B] = [square(), square()];
      const T = A.mmul(A.transpose());
      const P = Matrix.add(B.mmul(B.transpose()), Matrix.eye(size).mul(0.1));
      const q = Float64Array.from({length: size}, draw);
      const map = (matrix: Matrix) => (v: Float64Array) =>
        Float64Array.from(matrix.mmul(Matrix.columnVector(Array.from(v))).to1DArray());
      const unit = T.mmul(P).trace() / size;
      const solver = shiftedSolver({T: map(T), P: map(P)}, q, unit);
      for (const shift of [unit, 7 * unit, 1000 * unit]) {
        const shifted = Matrix.add(T.mmul(P), Matrix.eye(size).mul(shift));
        const expected = P.mmul(solve(shifted, Matrix.columnVector(Array.from(q)))).to1DArray();
        assertClose([solver(shift)], [expected], 1e-6, `shift ${shift}`);
      }
    }),
    {numRuns: 60, seed: 1},
  );
});

eachEngine('each rule computes its formula', async () => {
  for (const [what, shape] of Object.entries(SHAPES)) {
    const {problem, oracle} = randomProblem(shape);
    await keepsTensorCount(async () => {
      const wiener = ownershipOf(await SPLIT_RULES.gatedWiener.solve(problem));
      assertClose(wiener, slowGatedWiener(oracle), 2e-4, `gatedWiener, ${what}`);
      const match = await SPLIT_RULES.energyMatch.solve(problem);
      const slowMatch = slowEnergyMatch(oracle);
      assertClose(ownershipOf(match), slowMatch.ownership, 2e-4, `energyMatch, ${what}`);
      assert.ok(Math.abs(match.chosen!.scale - slowMatch.scale) < 1e-4, `scale, ${what}`);
      const ridge = await SPLIT_RULES.gatedRidge.solve(problem);
      const slowRidge = slowGatedRidge(oracle);
      assert.equal(ridge.chosen!.ridge, slowRidge.ridge, `ridge, ${what}`);
      assertClose(kernelsOf(ridge), slowRidge.kernels, 5e-4, `gatedRidge, ${what}`);
      for (const fires of [0.7, -0.9]) {
        const scaled = await SPLIT_RULES.scaledRidge.solve({...problem, fires});
        const slowScaled = slowScaledRidge(oracle, fires);
        assertClose(kernelsOf(scaled), slowScaled.kernels, 5e-4, `scaledRidge from ${fires} on, ${what}`);
        assert.ok(Math.abs(scaled.chosen!.scale - slowScaled.scale) < 1e-4, `scale of scaledRidge, ${what}`);
        const free = await SPLIT_RULES.freeRidge.solve({...problem, fires});
        assertClose(kernelsOf(free), slowFreeRidge(oracle, fires), 5e-4, `freeRidge from ${fires} on, ${what}`);
        const gated = await SPLIT_RULES.gatedPublished.solve({...problem, fires, rho: 0.8});
        assertClose(ownershipOf(gated), slowGatedPublished(oracle, fires, 0.8), 0, `gatedPublished, ${what}`);
      }
    });
  }
});

test('ownerships lie in 0..1 and add up to 1, and free kernels add up to the channel', async () => {
  await ensureBackend();
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        k: fc.integer({min: 2, max: 4}),
        size: fc.integer({min: 1, max: 3}),
        sources: fc.integer({min: 1, max: 7}),
        zeros: fc.constantFrom(0, 0.5, 0.95, 1),
        images: fc.integer({min: 1, max: 4}),
        seed: fc.integer({min: 1, max: 1e6}),
        background: fc.boolean(),
      }),
      async (shape) => {
        const {problem} = randomProblem(shape);
        for (const rule of [SPLIT_RULES.gatedWiener, SPLIT_RULES.energyMatch]) {
          const ownership = ownershipOf(await rule.solve(problem));
          ownership[0].forEach((_, i) => {
            const shares = ownership.map((lambda) => lambda[i]);
            assert.ok(shares.every((share) => share >= 0 && share <= 1));
            assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
          });
        }
        for (const rule of [SPLIT_RULES.gatedRidge, SPLIT_RULES.scaledRidge, SPLIT_RULES.freeRidge]) {
          const kernels = kernelsOf(await rule.solve(problem));
          problem.kernel.forEach((weight, at) => {
            const sum = kernels.reduce((total, part) => total + part[at], 0);
            assert.ok(Math.abs(sum - weight) <= 1e-6, `${rule.name}: ${sum}, not ${weight}`);
          });
        }
      },
    ),
    {numRuns: 25, seed: 2},
  );
});

for (const [what, network] of Object.entries(STUDIED_LAYERS)) {
  test(`every rule leaves the logits as they are: ${what}`, async () => {
    const model = smallModel(network);
    const images = smallImages(24);
    const stats = await collectRelevance(model, images, {layer: 'studied', progress: false});
    for (const concepts of [
      [[0], [1]],
      [[0], [1, 2], [3]],
    ]) {
      for (const rule of Object.keys(SPLIT_RULES)) {
        const target = {channel: 2, concepts};
        const split = await disentangle(model, stats, target, {images, rule, progress: false});
        const proof = await verifySplit(split, images, {progress: false});
        const {maxAbsLogitDifference, maxAbsLogit} = proof;
        assert.ok(maxAbsLogitDifference <= 1e-5 * maxAbsLogit, `${rule}: ${proof}`);
        split.dispose();
      }
    }
    model.dispose();
  });
}

test('a channel that a batch norm lets through far below zero is divided by what differs where it fires', async () => {
  await ensureBackend();
  // All weights are negative, so that w·x is: what its concepts do not share lies above the batch norm's threshold alone.
  const {problem} = randomProblem({sources: 9, lift: -2.5, images: 20, seed: 11});
  const m: number[] = [];
  for await (const {input} of problem.inputs!) {
    const rows = patches(problem.layer, input);
    m.push(
      ...((await rows.array()) as number[][]).map((row) => row.reduce((sum, x, i) => sum + x * problem.kernel[i], 0)),
    );
    rows.dispose();
  }
  assert.ok(Math.max(...m) <= 0);
  const fires = m.sort((a, b) => a - b)[Math.floor(m.length / 2)];
  for (const rule of [SPLIT_RULES.freeRidge, SPLIT_RULES.scaledRidge]) {
    const {kernels, chosen} = (await rule.solve({...problem, fires})) as {
      kernels: Float64Array[];
      chosen: {scale: number};
    };
    assert.ok(chosen.scale > 0.1, `${rule.name}: ${chosen.scale}`);
    const apart: number[][] = [[], []];
    for await (const {concept, input} of problem.inputs!) {
      const rows = patches(problem.layer, input);
      for (const row of (await rows.array()) as number[][]) {
        if (row.reduce((sum, x, i) => sum + x * problem.kernel[i], 0) <= fires) continue;
        apart[concept].push(row.reduce((sum, x, i) => sum + x * (kernels[0][i] - kernels[1][i]), 0));
      }
      rows.dispose();
    }
    assert.ok(auroc(apart[0], apart[1]) > 0.65, `${rule.name}: ${auroc(apart[0], apart[1])}`);
  }
});

test('a channel that batch norm turns round is divided as its mirror image', async () => {
  await ensureBackend();
  const {problem} = randomProblem({size: 3, k: 3, seed: 9});
  const mirrored = {...problem, kernel: problem.kernel.map((weight) => -weight), sign: -1 as const};
  for (const rule of [SPLIT_RULES.gatedWiener, SPLIT_RULES.energyMatch]) {
    const [one, other] = [await rule.solve(problem), await rule.solve(mirrored)];
    assertClose(ownershipOf(other), ownershipOf(one), 1e-6, rule.name);
  }
  for (const rule of [SPLIT_RULES.gatedRidge, SPLIT_RULES.scaledRidge, SPLIT_RULES.freeRidge]) {
    const [one, other] = [await rule.solve(problem), await rule.solve(mirrored)];
    const turned = kernelsOf(other).map((part) => part.map((weight) => -weight));
    assertClose(turned, kernelsOf(one), 1e-5, rule.name);
  }
});

test('disentangle sees the sign of the batch norm behind the layer', async () => {
  const model = smallModel({kind: 'conv', size: 3});
  const norm = model.graph.nodes.find(({name}) => name === 'studied_bn')!;
  const gamma = norm.weights.find(({name}) => name === 'gamma')!.data;
  const images = smallImages(24);
  const stats = await collectRelevance(model, images, {layer: 'studied', progress: false});
  const signs: (number | undefined)[] = [];
  const spy = {
    ...SPLIT_RULES.gatedWiener,
    async solve(problem: Parameters<(typeof SPLIT_RULES)['gatedWiener']['solve']>[0]) {
      signs.push(problem.sign);
      return SPLIT_RULES.gatedWiener.solve(problem);
    },
  };
  for (const channel of gamma.keys()) {
    await disentangle(model, stats, {channel, concepts: [0, 1]}, {images, rule: spy, progress: false});
  }
  assert.deepEqual(
    signs,
    Array.from(gamma, (value) => (value < 0 ? -1 : 1)),
  );
  model.dispose();
});

test('a rule refuses a layer whose matrices would be too large, and names another', async () => {
  await ensureBackend();
  const {problem} = randomProblem();
  const size = 5000;
  const large = {
    ...problem,
    kernel: new Float32Array(size),
    layer: {...problem.layer, shape: [1, 1, size, 4] as [number, number, number, number]},
  };
  for (const rule of Object.values(SPLIT_RULES).filter(({name}) => name !== 'published')) {
    await assert.rejects(
      () => rule.solve(large),
      (error) => error instanceof InputError && /5000 × 5000.*at most 4608/.test(error.message),
    );
  }
});

test('a rule without images asks for them, and an unknown rule lists the known ones', async () => {
  const {problem} = randomProblem();
  await assert.rejects(() => SPLIT_RULES.gatedRidge.solve({...problem, inputs: undefined}), /give images/);
  assert.throws(
    () => splitRule('wiener'),
    /unknown rule "wiener"; rules: published, gatedPublished, gatedWiener, energyMatch, gatedRidge, scaledRidge, freeRidge/,
  );
});

test('without a name, freeRidge divides where there are images, energyMatch where it is too large for that, else the published rule', () => {
  assert.equal(defaultRule({images: true, rho: false, size: 4608}), 'freeRidge');
  assert.equal(defaultRule({images: true, rho: false, size: 4609}), 'energyMatch');
  assert.equal(defaultRule({images: true, rho: true, size: 64}), 'published');
  assert.equal(defaultRule({images: false, rho: false, size: 64}), 'published');
});

test('a split whose parts are all the same says that the images show no difference', () => {
  const same = [Float32Array.of(1, -2), Float32Array.of(1, -2)];
  assert.match(cautionsOf({rho: undefined, rule: 'freeRidge', parts: same})[0], /^all parts are the same/);
  const differing = [same[0], Float32Array.of(1, -2.01)];
  assert.deepEqual(cautionsOf({rho: undefined, rule: 'freeRidge', parts: differing}), []);
});
