/**
 * Residual networks (He et al. 2016, "Deep Residual Learning for Image Recognition") in the two families whose checkpoints
 * are common, with their modules' names.
 */
import {
  batchNorm,
  convolution,
  globalAverage,
  image,
  linear,
  maxPool,
  paddedShortcut,
  relu,
  sum,
  type ConvolutionOptions,
  type Plan,
} from './plan';

/**
 * torchvision's networks for 224×224 images. A basic block has two 3×3 convolutions, a bottleneck 1×1, 3×3 and 1×1 with four
 * times the channels; its stride is that of the 3×3 one ("v1.5"). `width` scales the bottleneck's middle, whose convolution has
 * `groups` (Xie et al. 2017, "Aggregated Residual Transformations").
 * Source: torchvision/models/resnet.py.
 */
export function torchvisionResNet({
  blocks,
  bottleneck,
  width = 1,
  groups = 1,
  classes,
}: {
  blocks: readonly number[];
  bottleneck: boolean;
  width?: number;
  groups?: number;
  classes: number;
}): Plan {
  const plan: Plan = [];
  const expansion = bottleneck ? 4 : 1;
  let channels = 64;
  let x = convolution(plan, image(plan, 224), 'conv1', {from: 3, to: channels, kernel: 7, stride: 2}); // [B, 112, 112, 64]
  x = relu(plan, batchNorm(plan, x, 'bn1', channels), 'relu');
  x = maxPool(plan, x, 'maxpool', {padding: 1}); // [B, 56, 56, 64]
  blocks.forEach((count, stage) => {
    const base = 64 * 2 ** stage;
    const out = base * expansion;
    for (let i = 0; i < count; i += 1) {
      const block = `layer${stage + 1}.${i}`;
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const middle = bottleneck ? base * width : base;
      const steps = bottleneck
        ? [
            {from: channels, to: middle, kernel: 1},
            {from: middle, to: middle, kernel: 3, stride, groups},
            {from: middle, to: out, kernel: 1},
          ]
        : [
            {from: channels, to: out, kernel: 3, stride},
            {from: out, to: out, kernel: 3},
          ];
      const branch = convolutions(plan, x, block, steps);
      let shortcut = x;
      if (stride > 1 || channels !== out) {
        shortcut = convolution(plan, x, `${block}.downsample.0`, {from: channels, to: out, kernel: 1, stride});
        shortcut = batchNorm(plan, shortcut, `${block}.downsample.1`, out);
      }
      x = relu(plan, sum(plan, [branch, shortcut], `${block}.add`), `${block}.relu${steps.length}`);
      channels = out;
    }
  });
  linear(plan, globalAverage(plan, x, 'avgpool'), 'fc', {from: channels, to: classes});
  return plan;
}

/**
 * The paper's networks for 32×32 images (section 4.2): three stages of basic blocks with 16, 32 and 64 channels, shortcuts
 * without weights. Names: akamaster/pytorch_resnet_cifar10.
 */
export function cifarResNet({blocks, classes}: {blocks: number; classes: number}): Plan {
  const plan: Plan = [];
  let channels = 16;
  let x = convolution(plan, image(plan, 32), 'conv1', {from: 3, to: channels, kernel: 3}); // [B, 32, 32, 16]
  x = relu(plan, batchNorm(plan, x, 'bn1', channels), 'relu');
  [16, 32, 64].forEach((out, stage) => {
    for (let i = 0; i < blocks; i += 1) {
      const block = `layer${stage + 1}.${i}`;
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const branch = convolutions(plan, x, block, [
        {from: channels, to: out, kernel: 3, stride},
        {from: out, to: out, kernel: 3},
      ]);
      const shortcut = stride > 1 ? paddedShortcut(plan, x, `${block}.shortcut`, {from: channels, to: out}) : x;
      x = relu(plan, sum(plan, [branch, shortcut], `${block}.add`), `${block}.relu2`);
      channels = out;
    }
  });
  linear(plan, globalAverage(plan, x, 'avgpool'), 'linear', {from: channels, to: classes});
  return plan;
}

/** Convolutions `conv1`, `conv2` … of a block, each with its batch norm, a relu between them. */
function convolutions(plan: Plan, input: string, block: string, steps: ConvolutionOptions[]): string {
  return steps.reduce((x, step, i) => {
    const active = i === 0 ? x : relu(plan, x, `${block}.relu${i}`);
    const z = convolution(plan, active, `${block}.conv${i + 1}`, step);
    return batchNorm(plan, z, `${block}.bn${i + 1}`, step.to);
  }, input);
}
