/** Networks without shortcuts: AlexNet, VGG and SqueezeNet, with torchvision's modules' names. */
import {
  batchNorm,
  concatenate,
  convolution,
  flatten,
  globalAverage,
  image,
  linear,
  maxPool,
  relu,
  type Plan,
} from './plan';

/** Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks". Source: torchvision/models/alexnet.py. */
export function alexNet(classes: number): Plan {
  const plan: Plan = [];
  const step = (input: string, index: number, from: number, to: number, kernel: number, more = {}) =>
    relu(
      plan,
      convolution(plan, input, `features.${index}`, {from, to, kernel, bias: true, ...more}),
      `features.${index + 1}`,
    );
  let x = step(image(plan, 224), 0, 3, 64, 11, {stride: 4, padding: 2}); // [B, 55, 55, 64]
  x = step(maxPool(plan, x, 'features.2'), 3, 64, 192, 5);
  x = step(maxPool(plan, x, 'features.5'), 6, 192, 384, 3);
  x = step(step(x, 8, 384, 256, 3), 10, 256, 256, 3);
  x = flatten(plan, maxPool(plan, x, 'features.12'), 'flatten'); // [B, 6·6·256]
  x = relu(plan, linear(plan, x, 'classifier.1', {from: 256 * 36, to: 4096, map: [6, 6]}), 'classifier.2');
  x = relu(plan, linear(plan, x, 'classifier.4', {from: 4096, to: 4096}), 'classifier.5');
  linear(plan, x, 'classifier.6', {from: 4096, to: classes});
  return plan;
}

/**
 * Simonyan and Zisserman 2015, "Very deep convolutional networks": stages of 3×3 convolutions, each ended by a pooling.
 * Source: torchvision/models/vgg.py.
 * @param options.depths convolutions of the five stages
 * @param options.normalized a batch norm behind each
 */
export function vgg({
  depths,
  normalized,
  classes,
}: {
  depths: readonly number[];
  normalized: boolean;
  classes: number;
}): Plan {
  const plan: Plan = [];
  let x = image(plan, 224);
  let index = 0;
  const next = () => `features.${index++}`;
  let from = 3;
  [64, 128, 256, 512, 512].forEach((to, stage) => {
    for (let i = 0; i < depths[stage]; i += 1) {
      x = convolution(plan, x, next(), {from, to, kernel: 3, bias: true});
      if (normalized) x = batchNorm(plan, x, next(), to);
      x = relu(plan, x, next());
      from = to;
    }
    x = maxPool(plan, x, next(), {kernel: 2});
  });
  x = flatten(plan, x, 'flatten'); // [B, 7·7·512]
  x = relu(plan, linear(plan, x, 'classifier.0', {from: 512 * 49, to: 4096, map: [7, 7]}), 'classifier.1');
  x = relu(plan, linear(plan, x, 'classifier.3', {from: 4096, to: 4096}), 'classifier.4');
  linear(plan, x, 'classifier.6', {from: 4096, to: classes});
  return plan;
}

/**
 * Iandola et al. 2016: fire modules, in which a 1×1 convolution feeds a 1×1 and a 3×3 one, and a convolution as the last layer.
 * Source: torchvision/models/squeezenet.py.
 */
export function squeezeNet({version, classes}: {version: '1.0' | '1.1'; classes: number}): Plan {
  const plan: Plan = [];
  const first = version === '1.0' ? {to: 96, kernel: 7} : {to: 64, kernel: 3};
  let x = convolution(plan, image(plan, 224), 'features.0', {from: 3, ...first, stride: 2, padding: 0, bias: true});
  x = relu(plan, x, 'features.1');
  let from = first.to;
  const pools = version === '1.0' ? [2, 6, 11] : [2, 5, 8];
  const squeezed = [16, 16, 32, 32, 48, 48, 64, 64];
  for (let index = 2, fire = 0; fire < squeezed.length; index += 1) {
    const name = `features.${index}`;
    if (pools.includes(index)) {
      x = maxPool(plan, x, name, {ceilMode: true});
      continue;
    }
    const middle = squeezed[fire++];
    const step = (input: string, part: string, kernel: number, wide: number, to: number) =>
      relu(
        plan,
        convolution(plan, input, `${name}.${part}`, {from: wide, to, kernel, bias: true}),
        `${name}.${part}_activation`,
      );
    const narrow = step(x, 'squeeze', 1, from, middle);
    const parts = [1, 3].map((side) => step(narrow, `expand${side}x${side}`, side, middle, 4 * middle));
    x = concatenate(plan, parts, `${name}.concat`);
    from = 8 * middle;
  }
  x = convolution(plan, x, 'classifier.1', {from, to: classes, kernel: 1, bias: true});
  globalAverage(plan, relu(plan, x, 'classifier.2'), 'classifier.3');
  return plan;
}
