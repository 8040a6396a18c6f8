/**
 * Networks of inverted residuals (Sandler et al. 2018, "MobileNetV2", section 3): a 1×1 convolution widens, a depthwise one
 * looks around, a 1×1 one narrows, and a shortcut joins the narrow ends where these have one shape.
 */
import {batchNorm, convolution, globalAverage, image, linear, relu, sum, type Plan} from './plan';

/** A run of equal blocks; only the first has the stride. */
interface Stage {
  expansion: number;
  to: number;
  count: number;
  stride: number;
  kernel: number;
}

/** How a family names the parts of a block and of the network around, and computes what they share. */
interface Family {
  stages: readonly Stage[];
  /** Convolution and batch norm of the stem, [3, 3] with stride 2. */
  stem: readonly [string, string];
  /** Channels behind the stem, and behind the last 1×1 convolution. */
  narrow: number;
  wide: number;
  last: readonly [string, string];
  head: string;
  /** Prefix of block `i` of stage `stage`, `index` in all. */
  block(stage: number, i: number, index: number): string;
  /** Convolution and batch norm of the parts, where `expanded` says whether there is the first. */
  parts(expanded: boolean): Record<'expand' | 'depthwise' | 'project', readonly [string, string]>;
  /** Largest value of the activation. @default none */
  maxValue?: number;
  /** Of the batch norm. @default 1e-5 */
  epsilon?: number;
  /** Zeros at strides as TensorFlow puts them. @default false */
  same?: boolean;
}

function stage(expansion: number, to: number, count: number, stride: number, kernel = 3): Stage {
  return {expansion, to, count, stride, kernel};
}

const MOBILENET_V2 = [
  stage(1, 16, 1, 1),
  stage(6, 24, 2, 2),
  stage(6, 32, 3, 2),
  stage(6, 64, 4, 2),
  stage(6, 96, 3, 1),
  stage(6, 160, 3, 2),
  stage(6, 320, 1, 1),
];

const EFFICIENTNET_LITE0 = [
  stage(1, 16, 1, 1),
  stage(6, 24, 2, 2),
  stage(6, 40, 2, 2, 5),
  stage(6, 80, 3, 2),
  stage(6, 112, 3, 1, 5),
  stage(6, 192, 4, 2, 5),
  stage(6, 320, 1, 1),
];

/** Source: torchvision/models/mobilenetv2.py. */
export const mobileNetV2: Family = {
  stages: MOBILENET_V2,
  stem: ['features.0.0', 'features.0.1'],
  narrow: 32,
  wide: 1280,
  last: ['features.18.0', 'features.18.1'],
  head: 'classifier.1',
  block: (_stage, _i, index) => `features.${index + 1}.conv.`,
  parts: (expanded) => ({
    expand: ['0.0', '0.1'],
    depthwise: expanded ? ['1.0', '1.1'] : ['0.0', '0.1'],
    project: expanded ? ['2', '3'] : ['1', '2'],
  }),
  maxValue: 6,
};

/** Tan et al. 2019, "MnasNet", its B1 network. Source: torchvision/models/mnasnet.py. */
export const mnasNet: Family = {
  stages: [
    stage(1, 16, 1, 1),
    stage(3, 24, 3, 2),
    stage(3, 40, 3, 2, 5),
    stage(6, 80, 3, 2, 5),
    stage(6, 96, 2, 1),
    stage(6, 192, 4, 2, 5),
    stage(6, 320, 1, 1),
  ],
  stem: ['layers.0', 'layers.1'],
  narrow: 32,
  wide: 1280,
  last: ['layers.14', 'layers.15'],
  head: 'classifier.1',
  block: (at, i) => (at === 0 ? 'layers.' : `layers.${at + 7}.${i}.layers.`),
  parts: () => ({expand: ['0', '1'], depthwise: ['3', '4'], project: ['6', '7']}),
};

/** timm's names. Source: timm/models/_efficientnet_blocks.py (DepthwiseSeparableConv, InvertedResidual). */
const timm: Omit<Family, 'stages'> = {
  stem: ['conv_stem', 'bn1'],
  narrow: 32,
  wide: 1280,
  last: ['conv_head', 'bn2'],
  head: 'classifier',
  block: (at, i) => `blocks.${at}.${i}.`,
  parts: (expanded) => ({
    expand: ['conv_pw', 'bn1'],
    depthwise: ['conv_dw', expanded ? 'bn2' : 'bn1'],
    project: expanded ? ['conv_pwl', 'bn3'] : ['conv_pw', 'bn2'],
  }),
  maxValue: 6,
};

export const timmMobileNetV2: Family = {...timm, stages: MOBILENET_V2};
export const timmEfficientNetLite0: Family = {...timm, stages: EFFICIENTNET_LITE0};
/** Google's own weights: zeros at strides and batch norm as in TensorFlow. */
export const timmTfEfficientNetLite0: Family = {...timm, stages: EFFICIENTNET_LITE0, epsilon: 1e-3, same: true};

/** Google's weights too. Source: efficientnet_lite_pytorch/model.py (PyPI). */
export const efficientNetLite0: Family = {
  stages: EFFICIENTNET_LITE0,
  stem: ['_conv_stem', '_bn0'],
  narrow: 32,
  wide: 1280,
  last: ['_conv_head', '_bn1'],
  head: '_fc',
  block: (_stage, _i, index) => `_blocks.${index}.`,
  parts: () => ({
    expand: ['_expand_conv', '_bn0'],
    depthwise: ['_depthwise_conv', '_bn1'],
    project: ['_project_conv', '_bn2'],
  }),
  maxValue: 6,
  epsilon: 1e-3,
  same: true,
};

/** The plan of a family's network for 224×224 images. */
export function invertedResiduals(family: Family, classes: number): Plan {
  const {stages, stem, narrow, wide, last, head, maxValue, epsilon, same} = family;
  const plan: Plan = [];
  const unit = (
    input: string,
    [name, norm]: readonly [string, string],
    {
      from,
      to,
      kernel,
      stride = 1,
      groups = 1,
    }: {from: number; to: number; kernel: number; stride?: number; groups?: number},
  ) => {
    const padding = same && stride > 1 ? 'same' : (kernel - 1) / 2;
    return batchNorm(
      plan,
      convolution(plan, input, name, {from, to, kernel, stride, groups, padding}),
      norm,
      to,
      epsilon,
    );
  };
  const active = (input: string) => relu(plan, input, `${input}.relu`, maxValue ?? null);
  let x = active(unit(image(plan, 224), stem, {from: 3, to: narrow, kernel: 3, stride: 2})); // [B, 112, 112, 32]
  let from = narrow;
  let index = 0;
  stages.forEach(({expansion, to, count, stride: first, kernel}, at) => {
    for (let i = 0; i < count; i += 1, index += 1) {
      const prefix = family.block(at, i, index);
      const parts = family.parts(expansion > 1);
      const place = ([name, norm]: readonly [string, string]) => [prefix + name, prefix + norm] as const;
      const middle = from * expansion;
      const stride = i === 0 ? first : 1;
      let y = expansion > 1 ? active(unit(x, place(parts.expand), {from, to: middle, kernel: 1})) : x;
      y = active(unit(y, place(parts.depthwise), {from: middle, to: middle, kernel, stride, groups: middle}));
      y = unit(y, place(parts.project), {from: middle, to, kernel: 1});
      x = stride === 1 && from === to ? sum(plan, [x, y], `${prefix}add`) : y;
      from = to;
    }
  });
  x = active(unit(x, last, {from, to: wide, kernel: 1})); // [B, 7, 7, 1280]
  linear(plan, globalAverage(plan, x, 'avgpool'), head, {from: wide, to: classes});
  return plan;
}
