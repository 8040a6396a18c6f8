/**
 * How long a feature visualisation takes: MobileNet v1 0.75 of ../shared/data, a class logit, native or WebAssembly.
 *   [UNWEAVE_BACKEND=wasm] node --import tsx test/bench/featureSpeed.ts [--steps 256] [--sizes 128,224] [--gradients]
 *
 * `--gradients` takes one forward and backward pass to the image apart instead: by autodiff through the network as it was
 * saved, the same with batch norms folded, and as visualisation does it; in turns, in one run.
 */
import path from 'node:path';
import {parseArgs} from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import {backend} from '../../src/engine';
import {channel, logit, visualizeFeature} from '../../src/features';
import {objectiveOn} from '../../src/features/objectiveOn';
import {foldBatchNorm} from '../../src/network/fold';
import type {Graph} from '../../src/network/graph';
import {logitsGraph} from '../../src/network/logits';
import {compileGraph, type Compiled} from '../../src/network/run';
import {loadModel} from '../../src/formats/load';
import type {Model} from '../../src/network/types';
import {dot} from '../../src/numerics/vectors';

const {values: options} = parseArgs({
  options: {
    steps: {type: 'string', default: '256'},
    sizes: {type: 'string', default: '128,224'},
    gradients: {type: 'boolean', default: false},
  },
});
const folder = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');
const say = (line: string) => process.stdout.write(`${line}\n`);

const CLASS = 207;
const TURNS = 8;

/** Milliseconds of a forward and backward pass by each way, medians over turns, and how far the gradients are apart. */
function timeGradients(model: Model, size: number): void {
  const x = tf.randomUniform([1, size, size, 3], -1, 1, 'float32', 0) as tf.Tensor4D;
  const objective = objectiveOn(model, logit(CLASS), [size, size]);
  const graph = atSize(logitsGraph(model.graph), size);
  const [plain, folded] = [compileGraph(graph), compileGraph(foldBatchNorm(graph))];
  const logitOf = (network: Compiled) => (images: tf.Tensor) =>
    tf.sum(tf.slice(tf.reshape(Object.values(network.run(images))[0], [1, -1]), [0, CLASS], [1, 1]));
  const gradient = (value: (images: tf.Tensor) => tf.Tensor) => () =>
    tf.tidy(() => tf.grad(value)(x).dataSync() as Float32Array);
  const ways = {
    'batch norms apart': gradient(logitOf(plain)),
    'batch norms folded': gradient(logitOf(folded)),
    'as visualisation does it': gradient((images) => tf.sum(objective.value(images as tf.Tensor4D))),
    'forward alone': () => tf.tidy(() => objective.value(x).dataSync()),
  };
  const [theirs, , ours] = Object.values(ways).map((run) => run() as Float32Array);
  const apart = Math.sqrt(ours.reduce((sum, value, at) => sum + (value - theirs[at]) ** 2, 0) / dot(theirs, theirs));
  const times = new Map(Object.keys(ways).map((name) => [name, {wall: [] as number[], busy: [] as number[]}]));
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [name, run] of Object.entries(ways)) {
      const [started, cpu] = [performance.now(), process.cpuUsage()];
      run();
      const {user, system} = process.cpuUsage(cpu);
      times.get(name)!.wall.push(performance.now() - started);
      times.get(name)!.busy.push((user + system) / 1000);
    }
  }
  const middle = (all: number[]) => all.sort((a, b) => a - b)[TURNS >> 1].toFixed(0);
  for (const [name, {wall, busy}] of times) {
    say(`${size}², ${name}: ${middle(wall)} ms (${middle(busy)} ms of processor time)`);
  }
  say(`${size}², distance of the first and the third gradient: ${apart.toExponential(1)} of their length`);
  objective.dispose();
  for (const network of [plain, folded]) network.dispose();
  x.dispose();
}

function atSize(graph: Graph, size: number): Graph {
  const nodes = graph.nodes.map((node) =>
    graph.inputs.includes(node.name) ? {...node, args: {shape: [size, size, 3]}} : node,
  );
  return {...graph, nodes};
}

async function main(): Promise<void> {
  say(String(await backend()));
  const model = await loadModel(path.join(folder, 'models/mobilenet_v1_0.75_224'));
  if (options.gradients) {
    for (const size of options.sizes.split(',').map(Number)) timeGradients(model, size);
    return;
  }
  const steps = Number(options.steps);
  for (const size of options.sizes.split(',').map(Number)) {
    for (const objective of [logit(207), channel('conv_pw_13', 3), channel('conv_pw_6', 3)]) {
      await visualizeFeature(model, objective, {size, steps: 2, progress: false});
      const cpu = process.cpuUsage();
      const {text, seconds} = await visualizeFeature(model, objective, {size, steps, progress: false});
      const {user, system} = process.cpuUsage(cpu);
      const busy = (user + system) / 1e6;
      say(
        `${size}², ${text}: ${steps} steps in ${seconds.toFixed(1)} s, ${((1000 * seconds) / steps).toFixed(0)} ms a step ` +
          `(${((1000 * busy) / steps).toFixed(0)} ms of processor time)`,
      );
    }
  }
}

void main();
