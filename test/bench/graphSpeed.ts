/**
 * Milliseconds an image of a graph's passes beside the same network in tfjs-layers, batch norms folded and activations fused there, too. The
 * ways alternate in one run, so that the ratios hold on a noisy machine; weights are random.
 *   node --import tsx test/bench/graphSpeed.ts [--networks resnet50,mobilenet,resnext50] [--image] [--rounds 9] [--batch 16]
 */
import {parseArgs} from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {backend} from '../../src/engine';
import type {Graph} from '../../src/network/graph';
import {planGraph} from '../../src/network/plan';
import {compileGraph} from '../../src/network/run';
import {uniform} from '../reference/smallNetworks';
import {NETWORKS} from './networks';

const {values: options} = parseArgs({
  options: {
    networks: {type: 'string', default: 'resnet50,mobilenet'},
    rounds: {type: 'string', default: '9'},
    batch: {type: 'string', default: '16'},
    image: {type: 'boolean', default: false},
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);
const median = (list: number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!;

/** The folded network in tfjs-layers, as 0.1 ran it: a relu is computed with its convolution, other activations by themselves. */
function inLayers(graph: Graph): tfl.LayersModel {
  const symbols = new Map<string, tfl.SymbolicTensor>();
  const setters: (() => void)[] = [];
  for (const {name, node, inputs, activation} of planGraph(graph, graph.outputs)) {
    let [x] = inputs.map((input) => symbols.get(input)!);
    const args = node.args as Record<string, never>;
    const padding = args['padding'] as unknown;
    const explicit = Array.isArray(padding);
    if (explicit && node.operator !== 'MaxPooling2D')
      x = tfl.layers.zeroPadding2d({padding: padding as never}).apply(x!) as tfl.SymbolicTensor;
    const shared = {strides: args['strides'], padding: (explicit ? 'valid' : padding) as 'valid', useBias: true};
    const kernel = node.weights[0];
    const layerOf = (): tfl.layers.Layer => {
      const kernelSize = kernel?.shape.slice(0, 2) as [number, number];
      const zeros = {kernelInitializer: 'zeros', depthwiseInitializer: 'zeros'} as const;
      switch (node.operator) {
        case 'Conv2D':
          return tfl.layers.conv2d({
            ...shared,
            ...zeros,
            kernelSize,
            filters: kernel!.shape[3]!,
            activation: activation?.kind === 'relu' ? 'relu' : undefined,
          });
        case 'DepthwiseConv2D':
          return tfl.layers.depthwiseConv2d({...shared, ...zeros, kernelSize});
        case 'MaxPooling2D':
          return tfl.layers.maxPooling2d({
            poolSize: args['poolSize'],
            strides: args['strides'],
            padding: shared.padding,
          });
        case 'GlobalAveragePooling2D':
          return tfl.layers.globalAveragePooling2d({});
        case 'ReLU':
          return tfl.layers.reLU({});
        case 'Add':
          return tfl.layers.add();
        case 'Dense':
          return tfl.layers.dense({units: kernel!.shape[1]!, kernelInitializer: 'zeros'});
        default:
          throw new Error(`no ${node.operator} here`);
      }
    };
    if (node.operator === 'InputLayer') {
      symbols.set(name, tfl.input({shape: args['shape']}));
      continue;
    }
    if (explicit && node.operator === 'MaxPooling2D') {
      x = tfl.layers.zeroPadding2d({padding: padding as never}).apply(x!) as tfl.SymbolicTensor;
    }
    const layer = layerOf();
    const reads = inputs.map((input) => symbols.get(input)!);
    let y = layer.apply(reads.length > 1 ? reads : x!) as tfl.SymbolicTensor;
    if (node.weights.length > 0) {
      setters.push(() => tf.tidy(() => layer.setWeights(node.weights.map((w) => tf.tensor(w.data, w.shape)))));
    }
    if (activation && !(node.operator === 'Conv2D' && activation.kind === 'relu')) {
      y = tfl.layers.reLU({maxValue: activation.kind === 'relu6' ? 6 : undefined}).apply(y) as tfl.SymbolicTensor;
    }
    symbols.set(name, y);
  }
  const model = tfl.model({inputs: symbols.get(graph.inputs[0]!)!, outputs: symbols.get(graph.outputs[0]!)!});
  setters.forEach((set) => set());
  return model;
}

/** Runs with tfjs-node's own fused convolution, which adds the bias in a pass of its own, as 0.1 ran. */
function withPlainKernel<T>(work: () => T): T {
  const ours = tf.getKernel(tf.FusedConv2D, 'tensorflow');
  if (!ours) return work();
  const use = (kernel: tf.KernelConfig) => {
    tf.unregisterKernel(tf.FusedConv2D, 'tensorflow');
    tf.registerKernel(kernel);
  };
  const native = tf.backend() as unknown as {applyActivation(x: tf.Tensor, kind: string): tf.Tensor};
  use({
    ...ours,
    kernelFunc: ({inputs: {x, filter, bias}, attrs}) => {
      const z = tf
        .engine()
        .runKernel(tf.Conv2D, {x: x!, filter: filter!} as unknown as tf.NamedTensorMap, attrs) as tf.Tensor;
      const biased = tf.add(z, bias as tf.Tensor);
      const y = native.applyActivation(biased, (attrs as {activation: string}).activation);
      tf.dispose(y === biased ? [z] : [z, biased]);
      return y;
    },
  });
  try {
    return work();
  } finally {
    use(ours);
  }
}

function compare(name: string): void {
  const batch = Number(options.batch);
  const {graph, layer} = NETWORKS[name]!();
  const output = graph.outputs[0]!;
  const start = performance.now();
  const network = compileGraph(graph);
  const build = performance.now() - start;
  const tapped = compileGraph(graph, {taps: [layer]});
  const visualised = options.image ? compileGraph(graph, {taps: graph.inputs}) : undefined;
  // tfjs-layers has no groups: ResNeXt is compared with ResNet-50, by the graph both.
  const baseline = name === 'resnext50' ? undefined : inLayers(graph);
  const plain = name === 'resnext50' ? compileGraph(NETWORKS['resnet50']!().graph) : undefined;
  const pixels = Float32Array.from({length: batch * 224 * 224 * 3}, uniform(2, -1, 1));
  const x = tf.tensor4d(pixels, [batch, 224, 224, 3]);
  const labels = Int32Array.from({length: batch}, (_, i) => i);
  const ways: Record<string, () => tf.TensorContainer> = {
    ...(baseline && {
      'tfjs-layers, folded and fused': () => withPlainKernel(() => baseline.apply(x, {training: false}) as tf.Tensor),
    }),
    ...(plain && {'ResNet-50, forward': () => plain.run(x)}),
    forward: () => network.run(x),
    'forward with a tap': () => tapped.run(x),
    [`one pass with the gradient at ${layer}`]: () =>
      tapped.runWithGradients(x, {labels}) as unknown as tf.TensorContainer,
    ...(visualised && {
      'gradient to the image': () => visualised.runWithGradients(x, {labels}) as unknown as tf.TensorContainer,
    }),
  };
  const run = (way: () => tf.TensorContainer) => {
    const [began, cpu] = [performance.now(), process.cpuUsage()];
    tf.tidy(() => {
      const result = way();
      const read =
        result instanceof tf.Tensor
          ? result
          : ((result as Record<string, tf.Tensor>)[output] ??
            (result as unknown as {outputs: Record<string, tf.Tensor>}).outputs[output]!);
      read.dataSync();
      return [];
    });
    tf.dispose([]);
    const {user, system} = process.cpuUsage(cpu);
    return {wall: (performance.now() - began) / batch, busy: (user + system) / 1000 / batch};
  };
  const times = new Map(Object.keys(ways).map((way) => [way, {wall: [] as number[], busy: [] as number[]}]));
  for (const way of Object.values(ways)) run(way);
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [way, work] of Object.entries(ways)) {
      const {wall, busy} = run(work);
      times.get(way)!.wall.push(wall);
      times.get(way)!.busy.push(busy);
    }
  }
  say(`${name}, batch ${batch}: ${graph.nodes.length} nodes, built in ${build.toFixed(0)} ms`);
  const [first] = times.values();
  for (const [way, {wall, busy}] of times) {
    const ratios = (mine: number[], theirs: number[]) => median(mine.map((value, i) => value / theirs[i]!)).toFixed(3);
    say(
      `  ${way}: ${median(wall).toFixed(1)} ms per image (${median(busy).toFixed(1)} of processor time), ` +
        `least ${Math.min(...wall).toFixed(1)}; ${ratios(wall, first!.wall)} of the first (processor ${ratios(busy, first!.busy)})`,
    );
  }
  network.dispose();
  tapped.dispose();
  visualised?.dispose();
  baseline?.dispose();
  plain?.dispose();
  x.dispose();
}

async function main(): Promise<void> {
  say(String(await backend()));
  for (const name of options.networks.split(',')) compare(name);
}

void main();
