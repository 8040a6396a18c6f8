/**
 * Dictionaries of the layer's inputs beside weight splits on the demo network's plants (`conv5`, tier dense), whose true parts are known: atoms
 * go to the class that they feed most, as sources do by the published rule, on discovery images; r is measured on held-out images of the
 * plant's two classes. Usage: plantedBaselines.ts [PLANTS]
 */
import {intervalText} from '../../src/common/numbers';
import {ensureBackend} from '../../src/engine';
import {presetFor} from '../../src/images/presetFor';
import {pearson} from '../../src/numerics/agreement';
import {meanInterval} from '../../src/numerics/summary';
import {mean} from '../../src/numerics/vectors';
import {choosePlants} from '../../src/planted/choosePlants';
import {sizeOf, type ClassInputs} from '../../src/planted/classInputs';
import {contributionSizes, plantKernel} from '../../src/planted/plantKernels';
import {studyLayer} from '../../src/planted/studiedLayer';
import {tiersNamed} from '../../src/planted/tiers';
import {autoencoded, factorized, NMF, SAE, type Dictionary} from './dictionaries';
import {SUBJECTS} from './plantedSubjects';

const SEED = 0;
/** Every so many positions of the discovery images teach the dictionaries. */
const EVERY = 2;

/** Inputs of some classes one after another, [positions, Cin], and where each class begins. */
function rowsOf(inputs: Map<number, ClassInputs>, classes: readonly number[], width: number) {
  const parts = classes.map((k) => {
    const {input, shape, count} = inputs.get(k)!;
    return input.subarray(0, count * sizeOf(shape));
  });
  const from = [0];
  for (const part of parts) from.push(from.at(-1)! + part.length / width);
  const rows = new Float32Array(from.at(-1)! * width);
  parts.forEach((part, n) => rows.set(part, from[n] * width));
  return {rows, from};
}

const product = (rows: ArrayLike<number>, weights: ArrayLike<number>, from: number, to: number) =>
  Float64Array.from({length: to - from}, (_, n) => {
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += rows[(from + n) * weights.length + i] * weights[i];
    return sum;
  });

async function main(): Promise<void> {
  const {model, images, options} = await SUBJECTS['demo']();
  await ensureBackend();
  const preset = presetFor(model, images.discovery);
  const many = {discoveryPerClass: 60, heldOutPerClass: 60, batchSize: 32, progress: false as const};
  const studied = await studyLayer(model, images, {...many, layer: options.layer, tau: options.tau!, p: 0.75, preset});
  const {relevance, discovery, heldOut, layer} = studied;
  const width = layer.shape[2];
  const classes = [...relevance.classes];
  const fit = rowsOf(discovery, classes, width);
  const held = rowsOf(heldOut, classes, width);
  const taught = new Float32Array(Math.floor(fit.rows.length / width / EVERY) * width);
  for (let n = 0; n < taught.length / width; n++)
    taught.set(fit.rows.subarray(n * EVERY * width, (n * EVERY + 1) * width), n * width);
  // Codes of all fitted positions, then of all held ones.
  const all = new Float32Array(fit.rows.length + held.rows.length);
  all.set(fit.rows);
  all.set(held.rows, fit.rows.length);
  const identity = Float32Array.from({length: width * width}, (_, i) => Number(Math.floor(i / width) === i % width));
  const dictionaries: Record<string, Pick<Dictionary, 'held' | 'atoms' | 'count'>> = {
    'published, ρ = 1': {held: all, atoms: identity, count: width},
    [`NMF, ${NMF.atoms} atoms`]: factorized(taught, all, width),
    [`sparse autoencoder, ${SAE.atoms} atoms`]: autoencoded(taught, all, width),
  };
  const scores = new Map<string, number[]>();
  const [tier] = tiersNamed(['dense']);
  for (const plant of choosePlants(relevance, Number(process.argv[2] ?? 50), SEED)) {
    const places = plant.classes.map((k) => classes.indexOf(k));
    const sizes = await contributionSizes(
      studied,
      plant.channels,
      plant.classes.map((k) => heldOut.get(k)!),
    );
    const {kernel, sources} = plantKernel(studied, plant, tier, sizes, SEED);
    const overHeld = (rows: ArrayLike<number>, weights: ArrayLike<number>, offset = 0) =>
      places.flatMap((at) => [...product(rows, weights, offset + held.from[at], offset + held.from[at + 1])]);
    const truth = sources.map((source) => overHeld(held.rows, source));
    const record = (method: string, parts: readonly number[][]) => {
      const r = mean(parts.map((part, j) => pearson(part, truth[j])));
      scores.set(method, [...(scores.get(method) ?? []), r]);
    };
    const whole = overHeld(held.rows, kernel);
    record(
      'no split',
      sources.map(() => whole),
    );
    for (const [method, {held: codes, atoms, count}] of Object.entries(dictionaries)) {
      const weights = product(atoms, kernel, 0, count);
      const fed = places.map((at) => {
        const sums = new Float64Array(count);
        for (let n = fit.from[at]; n < fit.from[at + 1]; n++)
          for (let a = 0; a < count; a++) sums[a] += codes[n * count + a] * weights[a];
        return sums.map((sum) => sum / (fit.from[at + 1] - fit.from[at]));
      });
      const parts = places.map((_, j) => {
        const own = weights.map((weight, a) => (fed.every((sums) => fed[j][a] >= sums[a]) ? weight : 0));
        return overHeld(codes, own, fit.rows.length / width);
      });
      record(method, parts);
    }
  }
  studied.dispose();
  process.stdout.write('| method | plants | r with the true part |\n| --- | --- | --- |\n');
  for (const [method, r] of scores)
    process.stdout.write(`| ${method} | ${r.length} | ${intervalText(meanInterval(r))} |\n`);
}

void main();
