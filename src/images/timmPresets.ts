import type {Preset} from './types';

/** Weights of one preprocessing, by network: the names that timm puts behind the network's, apart by spaces. */
interface Group {
  values: keyof typeof VALUES;
  /** The input that the weights were made for. */
  cropSide: number;
  /** ⌊cropSide / crop_pct⌋ */
  shorterSide: number;
  interpolation: 'bilinear' | 'bicubic';
  weights: Readonly<Record<string, string>>;
}

const VALUES = {
  imagenet: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]},
  half: {mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]},
  unit: {mean: [0, 0, 0], std: [1, 1, 1]},
} as const;

/** timm 1.0's `pretrained_cfg` of the networks that are read by name, and of some that come as ONNX. */
const GROUPS: readonly Group[] = [
  {
    values: 'half',
    cropSide: 224,
    shorterSide: 235,
    interpolation: 'bicubic',
    weights: {
      mobilenetv3_large_100: 'ra4_e3600_r224_in1k',
    },
  },
  {
    values: 'half',
    cropSide: 224,
    shorterSide: 248,
    interpolation: 'bicubic',
    weights: {
      resnet34: 'ra4_e3600_r224_in1k',
      efficientnet_b0: 'ra4_e3600_r224_in1k',
    },
  },
  {
    values: 'half',
    cropSide: 224,
    shorterSide: 256,
    interpolation: 'bicubic',
    weights: {
      tf_efficientnet_lite0: 'in1k',
    },
  },
  {
    values: 'half',
    cropSide: 299,
    shorterSide: 341,
    interpolation: 'bicubic',
    weights: {
      inception_v3: 'tf_adv_in1k tf_in1k tv_in1k',
    },
  },
  {
    values: 'imagenet',
    cropSide: 160,
    shorterSide: 168,
    interpolation: 'bicubic',
    weights: {
      resnet18: 'a3_in1k',
      resnet34: 'a3_in1k',
      resnet50: 'a3_in1k',
      resnet101: 'a3_in1k',
      resnet152: 'a3_in1k',
      resnext50_32x4d: 'a3_in1k',
    },
  },
  {
    values: 'imagenet',
    cropSide: 176,
    shorterSide: 195,
    interpolation: 'bicubic',
    weights: {
      resnet50: 'a1h_in1k',
    },
  },
  {
    values: 'imagenet',
    cropSide: 176,
    shorterSide: 201,
    interpolation: 'bilinear',
    weights: {
      resnet50: 'tv2_in1k',
      resnet101: 'tv2_in1k',
      resnet152: 'tv2_in1k',
      wide_resnet50_2: 'tv2_in1k',
      wide_resnet101_2: 'tv2_in1k',
      resnext50_32x4d: 'tv2_in1k',
      resnext101_32x8d: 'tv2_in1k',
    },
  },
  {
    values: 'imagenet',
    cropSide: 224,
    shorterSide: 232,
    interpolation: 'bicubic',
    weights: {
      regnety_004: 'tv2_in1k',
    },
  },
  {
    values: 'imagenet',
    cropSide: 224,
    shorterSide: 235,
    interpolation: 'bicubic',
    weights: {
      resnet18: 'a1_in1k a2_in1k',
      resnet34: 'a1_in1k a2_in1k',
      resnet50: 'a1_in1k a2_in1k b1k_in1k b2k_in1k c1_in1k c2_in1k d_in1k',
      resnet101: 'a1_in1k a1h_in1k a2_in1k',
      resnet152: 'a1_in1k a1h_in1k a2_in1k',
      resnext50_32x4d: 'a1_in1k a1h_in1k a2_in1k',
      resnetaa50: 'a1h_in1k',
      convnext_tiny: 'in12k_ft_in1k',
    },
  },
  {
    values: 'imagenet',
    cropSide: 224,
    shorterSide: 256,
    interpolation: 'bicubic',
    weights: {
      resnet18: 'gluon_in1k',
      resnet34: 'bt_in1k gluon_in1k',
      resnet50: 'am_in1k bt_in1k gluon_in1k ra_in1k ram_in1k',
      resnet101: 'gluon_in1k',
      resnet152: 'gluon_in1k',
      wide_resnet50_2: 'racm_in1k',
      resnext50_32x4d: 'gluon_in1k ra_in1k',
      densenet121: 'ra_in1k tv_in1k',
      densenet161: 'tv_in1k',
      densenet169: 'tv_in1k',
      densenet201: 'tv_in1k',
      mobilenetv2_100: 'ra_in1k',
      efficientnet_lite0: 'ra_in1k',
      mnasnet_100: 'rmsp_in1k',
      resnetblur50: 'bt_in1k',
      convnext_tiny: 'fb_in1k fb_in22k_ft_in1k',
      mobilenetv3_small_100: 'lamb_in1k',
      mobilenetv3_large_100: 'ra_in1k',
      efficientnet_b0: 'ra_in1k',
      regnety_004: 'pycls_in1k',
    },
  },
  {
    values: 'imagenet',
    cropSide: 224,
    shorterSide: 256,
    interpolation: 'bilinear',
    weights: {
      resnet18: 'fb_ssl_yfcc100m_ft_in1k fb_swsl_ig1b_ft_in1k tv_in1k',
      resnet34: 'tv_in1k',
      resnet50: 'fb_ssl_yfcc100m_ft_in1k fb_swsl_ig1b_ft_in1k tv_in1k',
      resnet101: 'tv_in1k',
      resnet152: 'tv_in1k',
      wide_resnet50_2: 'tv_in1k',
      wide_resnet101_2: 'tv_in1k',
      resnext50_32x4d: 'fb_ssl_yfcc100m_ft_in1k fb_swsl_ig1b_ft_in1k tv_in1k',
      resnext101_32x8d: 'fb_ssl_yfcc100m_ft_in1k fb_swsl_ig1b_ft_in1k fb_wsl_ig1b_ft_in1k tv_in1k',
      vgg11: 'tv_in1k',
      vgg11_bn: 'tv_in1k',
      vgg13: 'tv_in1k',
      vgg13_bn: 'tv_in1k',
      vgg16: 'tv_in1k',
      vgg16_bn: 'tv_in1k',
      vgg19: 'tv_in1k',
      vgg19_bn: 'tv_in1k',
      repvgg_a0: 'rvgg_in1k',
    },
  },
  {
    values: 'imagenet',
    cropSide: 299,
    shorterSide: 341,
    interpolation: 'bicubic',
    weights: {
      inception_v3: 'gluon_in1k',
    },
  },
  {
    values: 'unit',
    cropSide: 224,
    shorterSide: 256,
    interpolation: 'bilinear',
    weights: {
      mobilenetv3_large_100: 'miil_in21k_ft_in1k',
    },
  },
];

/**
 * The preprocessing of weights that timm publishes, called as timm calls them, `timm/resnet50.a1_in1k` or `resnet50.a1_in1k`; undefined for
 * any other name.
 */
export function timmPreset(name: string): Preset | undefined {
  const [, network, weights] = /^(?:timm\/)?(\w+)\.(\w+)$/.exec(name) ?? [];
  if (network === undefined) return undefined;
  const group = GROUPS.find(
    ({weights: known}) => Object.hasOwn(known, network) && known[network].split(' ').includes(weights),
  );
  if (!group) return undefined;
  const {values, cropSide, shorterSide, interpolation} = group;
  return {
    name: `timm/${network}.${weights}`,
    shorterSide,
    cropSide,
    rounding: 'torchvision',
    interpolation,
    ...VALUES[values],
  };
}
