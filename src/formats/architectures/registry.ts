import type {Preset} from '../../images/types';
import {denseNet, googLeNet} from './branching';
import {alexNet, squeezeNet, vgg} from './chains';
import {
  efficientNetLite0,
  invertedResiduals,
  mnasNet,
  mobileNetV2,
  timmEfficientNetLite0,
  timmMobileNetV2,
  timmTfEfficientNetLite0,
} from './inverted';
import type {Plan} from './plan';
import {cifarResNet, torchvisionResNet} from './resnets';

/** A network that a checkpoint can bring the weights of. */
export interface Architecture {
  name: string;
  /** The preprocessing that its published checkpoints were trained with. */
  preset: 'torch-imagenet' | 'cifar' | Preset;
  /** [H, W, C] */
  inputShape: readonly [number, number, number];
  /** PyTorch name of the last layer's weight, [classes, features] or [classes, features, 1, 1]. */
  head: string;
  plan(classes: number): Plan;
}

const imagenet = (name: string, head: string, plan: Architecture['plan'], preset?: Preset): Architecture => ({
  name,
  preset: preset ?? 'torch-imagenet',
  inputShape: [224, 224, 3],
  head,
  plan,
});

function residual(name: string, blocks: readonly number[], bottleneck: boolean, more = {}): Architecture {
  return imagenet(name, 'fc.weight', (classes) => torchvisionResNet({blocks, bottleneck, classes, ...more}));
}

function cifar(depth: number): Architecture {
  const plan = (classes: number) => cifarResNet({blocks: (depth - 2) / 6, classes});
  return {name: `resnet${depth}`, preset: 'cifar', inputShape: [32, 32, 3], head: 'linear.weight', plan};
}

function vggs(layers: number, depths: readonly number[]): Architecture[] {
  return [false, true].map((normalized) =>
    imagenet(`vgg${layers}${normalized ? '_bn' : ''}`, 'classifier.6.weight', (classes) =>
      vgg({depths, normalized, classes}),
    ),
  );
}

function dense(name: string, blocks: readonly number[], more = {}): Architecture {
  return imagenet(name, 'classifier.weight', (classes) => denseNet({blocks, classes, ...more}));
}

function inverted(name: string, family: typeof mobileNetV2, preset?: Preset): Architecture {
  return imagenet(name, `${family.head}.weight`, (classes) => invertedResiduals(family, classes), preset);
}

/** The geometry of `torch-imagenet`, with another range of values. */
const ranged = (name: string, mean: number, std: number): Preset => ({
  name,
  shorterSide: 256,
  cropSide: 224,
  rounding: 'torchvision',
  mean: [mean, mean, mean],
  std: [std, std, std],
});

/**
 * torchvision's published GoogLeNet turns ImageNet's normalisation into −1..1 in its first step (`transform_input`), which
 * no weight shows: as a preset it is that range.
 */
const GOOGLENET = ranged('googlenet', 0.5, 0.5);

/** (pixel − 127) / 128, as Google trained it. */
const LITE = ranged('efficientnet-lite', 127 / 255, 128 / 255);

/** The networks that are known by name: torchvision's and timm's for ImageNet, and those with option-A shortcuts for CIFAR. */
export const ARCHITECTURES: readonly Architecture[] = [
  residual('resnet18', [2, 2, 2, 2], false),
  residual('resnet34', [3, 4, 6, 3], false),
  residual('resnet50', [3, 4, 6, 3], true),
  residual('resnet101', [3, 4, 23, 3], true),
  residual('resnet152', [3, 8, 36, 3], true),
  residual('wide_resnet50_2', [3, 4, 6, 3], true, {width: 2}),
  residual('wide_resnet101_2', [3, 4, 23, 3], true, {width: 2}),
  residual('resnext50_32x4d', [3, 4, 6, 3], true, {width: 2, groups: 32}),
  residual('resnext101_32x8d', [3, 4, 23, 3], true, {width: 4, groups: 32}),
  ...[20, 32, 44, 56, 110].map(cifar),
  imagenet('alexnet', 'classifier.6.weight', alexNet),
  ...vggs(11, [1, 1, 2, 2, 2]),
  ...vggs(13, [2, 2, 2, 2, 2]),
  ...vggs(16, [2, 2, 3, 3, 3]),
  ...vggs(19, [2, 2, 4, 4, 4]),
  imagenet('squeezenet1_0', 'classifier.1.weight', (classes) => squeezeNet({version: '1.0', classes})),
  imagenet('squeezenet1_1', 'classifier.1.weight', (classes) => squeezeNet({version: '1.1', classes})),
  imagenet('googlenet', 'fc.weight', googLeNet, GOOGLENET),
  dense('densenet121', [6, 12, 24, 16]),
  dense('densenet161', [6, 12, 36, 24], {growth: 48, first: 96}),
  dense('densenet169', [6, 12, 32, 32]),
  dense('densenet201', [6, 12, 48, 32]),
  inverted('mobilenet_v2', mobileNetV2),
  inverted('mobilenetv2_100', timmMobileNetV2),
  inverted('mnasnet1_0', mnasNet),
  inverted('efficientnet_lite0', timmEfficientNetLite0),
  inverted('tf_efficientnet_lite0', timmTfEfficientNetLite0, ranged('tf_efficientnet_lite0', 0.5, 0.5)),
  inverted('efficientnet-lite0', efficientNetLite0, LITE),
];

/** What a user is told of an architecture. */
export type ArchitectureInfo = Readonly<Pick<Architecture, 'name' | 'preset' | 'inputShape'>>;

/** The architectures whose PyTorch checkpoints are read by name. */
export const ARCHITECTURE_INFO: readonly ArchitectureInfo[] = ARCHITECTURES.map(({name, preset, inputShape}) => ({
  name,
  preset,
  inputShape,
}));
