/** Networks whose layers' channels are put side by side: DenseNet and GoogLeNet, with torchvision's modules' names. */
import {
  averagePool,
  batchNorm,
  concatenate,
  convolution,
  globalAverage,
  image,
  linear,
  maxPool,
  relu,
  type Plan,
} from './plan';

/**
 * Huang et al. 2017, "Densely connected convolutional networks": every layer reads all maps before it in its block.
 * Source: torchvision/models/densenet.py.
 * @param options.growth channels that a layer adds
 */
export function denseNet({
  blocks,
  growth = 32,
  first = 64,
  classes,
}: {
  blocks: readonly number[];
  growth?: number;
  first?: number;
  classes: number;
}): Plan {
  const plan: Plan = [];
  const normalized = (input: string, name: string, channels: number, active = name.replace('norm', 'relu')) =>
    relu(plan, batchNorm(plan, input, name, channels), active);
  let channels = first;
  let x = convolution(plan, image(plan, 224), 'features.conv0', {from: 3, to: channels, kernel: 7, stride: 2});
  x = maxPool(plan, normalized(x, 'features.norm0', channels), 'features.pool0', {padding: 1}); // [B, 56, 56, 64]
  blocks.forEach((count, b) => {
    const maps = [x];
    for (let i = 1; i <= count; i += 1) {
      const layer = `features.denseblock${b + 1}.denselayer${i}`;
      const read = i === 1 ? x : concatenate(plan, [...maps], `${layer}.concat`);
      let y = normalized(read, `${layer}.norm1`, channels);
      y = convolution(plan, y, `${layer}.conv1`, {from: channels, to: 4 * growth, kernel: 1});
      y = normalized(y, `${layer}.norm2`, 4 * growth);
      maps.push(convolution(plan, y, `${layer}.conv2`, {from: 4 * growth, to: growth, kernel: 3}));
      channels += growth;
    }
    x = concatenate(plan, maps, `features.denseblock${b + 1}.concat`);
    if (b === blocks.length - 1) return;
    const transition = `features.transition${b + 1}`;
    x = normalized(x, `${transition}.norm`, channels);
    x = convolution(plan, x, `${transition}.conv`, {from: channels, to: channels / 2, kernel: 1});
    x = averagePool(plan, x, `${transition}.pool`);
    channels /= 2;
  });
  x = normalized(x, 'features.norm5', channels, 'relu');
  linear(plan, globalAverage(plan, x, 'avgpool'), 'classifier', {from: channels, to: classes});
  return plan;
}

/** An inception module's channels: 1×1, 3×3 (reduced and out), "5×5" (which torchvision computes with 3×3), pooled. */
type Inception = readonly [one: number, reduced: number, three: number, narrow: number, five: number, pooled: number];

const INCEPTIONS: Readonly<Record<string, Inception>> = {
  '3a': [64, 96, 128, 16, 32, 32],
  '3b': [128, 128, 192, 32, 96, 64],
  '4a': [192, 96, 208, 16, 48, 64],
  '4b': [160, 112, 224, 24, 64, 64],
  '4c': [128, 128, 256, 24, 64, 64],
  '4d': [112, 144, 288, 32, 64, 64],
  '4e': [256, 160, 320, 32, 128, 128],
  '5a': [256, 160, 320, 32, 128, 128],
  '5b': [384, 192, 384, 48, 128, 128],
};

/**
 * Szegedy et al. 2015, "Going deeper with convolutions", with batch norm and without the auxiliary heads, which serve training.
 * Source: torchvision/models/googlenet.py.
 */
export function googLeNet(classes: number): Plan {
  const plan: Plan = [];
  const unit = (input: string, name: string, from: number, to: number, kernel: number, stride = 1) => {
    const z = convolution(plan, input, `${name}.conv`, {from, to, kernel, stride});
    return relu(plan, batchNorm(plan, z, `${name}.bn`, to, 1e-3), `${name}.relu`);
  };
  let x = unit(image(plan, 224), 'conv1', 3, 64, 7, 2); // [B, 112, 112, 64]
  x = maxPool(plan, x, 'maxpool1', {ceilMode: true});
  x = unit(unit(x, 'conv2', 64, 64, 1), 'conv3', 64, 192, 3);
  x = maxPool(plan, x, 'maxpool2', {ceilMode: true});
  let from = 192;
  for (const [index, [one, reduced, three, narrow, five, pooled]] of Object.entries(INCEPTIONS)) {
    const name = `inception${index}`;
    if (index === '4a') x = maxPool(plan, x, 'maxpool3', {ceilMode: true});
    if (index === '5a') x = maxPool(plan, x, 'maxpool4', {kernel: 2, ceilMode: true});
    const pool = maxPool(plan, x, `${name}.branch4.0`, {stride: 1, padding: 1, ceilMode: true});
    const branches = [
      unit(x, `${name}.branch1`, from, one, 1),
      unit(unit(x, `${name}.branch2.0`, from, reduced, 1), `${name}.branch2.1`, reduced, three, 3),
      unit(unit(x, `${name}.branch3.0`, from, narrow, 1), `${name}.branch3.1`, narrow, five, 3),
      unit(pool, `${name}.branch4.1`, from, pooled, 1),
    ];
    x = concatenate(plan, branches, `${name}.concat`);
    from = one + three + five + pooled;
  }
  linear(plan, globalAverage(plan, x, 'avgpool'), 'fc', {from, to: classes});
  return plan;
}
