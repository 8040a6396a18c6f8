import type {RelevanceStatistics} from '../../src/numerics/statistics';
import type {Summary} from '../../src/numerics/summary';
import {type TripleDot} from '../../src/plots';
import type {AblatedSplit, DensityCurves, DividedChannel, EvaluatedSplit, PlantedScores} from '../../src/plots/inputs';
import {uniform} from '../reference/smallNetworks';
import {syntheticStatistics} from '../reference/syntheticStatistics';

/** Names that a figure must show as they are. */
export const HOSTILE_NAMES = ['<b>dog</b>', 'שלום עולם', `"it's" & co`, '😀 smile', 'signal: 1'];

const NAMES = ['flag', 'checker', 'fir', 'house', 'spiral', 'a name that is far too long for any axis label', 'fish'];

export function exampleStatistics(names: readonly string[] = NAMES): RelevanceStatistics {
  const stats = syntheticStatistics({seed: 5, classes: names.length, outputs: 16, inputs: 24, images: 140});
  stats.classNames = [...names];
  return stats;
}

/** A channel divided by hand: sources of the first concept, of the second …, and shared ones. */
export function exampleSplit(k: 2 | 3 | 4 = 2, {soft = false, names = NAMES} = {}): DividedChannel {
  const draw = uniform(11);
  const inputs = 60;
  const owners = Array.from({length: inputs}, (_, i) => (i % (k + 1)) - 1);
  const concepts = Array.from({length: k}, (_, j) => ({
    classes: [j],
    classNames: [names[j]],
    arv: Float64Array.from(owners, (owner) => (owner === j ? 0.2 + draw() ** 3 * 2 : (draw() - 0.35) * 0.3)),
  }));
  const original = Float32Array.from({length: inputs}, () => (draw() - 0.4) * 0.8);
  const ownership = concepts.map((_, j) =>
    Float64Array.from(owners, (owner) => {
      const hard = owner === j || owner === -1 ? 1 : 0;
      return soft ? 0.1 + 0.8 * hard * draw() : hard;
    }),
  );
  return {
    layer: 'conv5',
    channel: 7,
    rule: soft ? 'gatedWiener' : 'published',
    concepts,
    ownership,
    kernelShape: [1, 1, inputs],
    original,
    parts: ownership.map((own) => original.map((weight, i) => weight * own[i])),
    ...(!soft && {
      rho: {
        rho: 0.35,
        scores: Array.from({length: 20}, (_, i) => ({rho: (i + 1) / 20, score: 900 / (1 + ((i - 6) / 2) ** 2) + 4})),
        zeroDenominators: 3,
      },
    }),
  };
}

/** Ten layers, deeper ones with more channels that are relevant to several classes. */
export function exampleDepth() {
  const layers = Array.from({length: 10}, (_, n) => {
    const channels = n < 5 ? 256 : 512;
    const relevant = Math.round((channels * (n + 1)) / 14);
    const polysemantic = Math.round(relevant * (0.1 + 0.06 * n));
    const undecided = Math.round(relevant * 0.15);
    return {
      ...{layer: `layer${1 + Math.floor(n / 3)}.${n % 3}.conv3`, channels, tau: 2 / channels, relevant, polysemantic},
      ...{undecided, medianCosine: n === 0 ? NaN : 0.9 - 0.05 * n},
    };
  });
  return {
    kind: 'polysemanticity by depth' as const,
    model: 'ResNet-50',
    p: 0.75,
    gamma: 0.5,
    arv: 'gated' as const,
    layers,
  };
}

export function exampleSummary(mean: number, half: number): Summary {
  return {mean, std: 3 * half, interval: [mean - half, mean + half], count: 36};
}

export function exampleEvaluation(names: readonly string[] = NAMES.slice(0, 3), randomSplits = 20): EvaluatedSplit {
  const k = names.length;
  const fractions = (own: number, shift: number) => ({
    images: 52 - own,
    summary: {
      parts: names.map((_, j) => exampleSummary(j === own ? 1.05 - 0.1 * j + shift : 0.06 + 0.05 * j, 0.04)),
      residue: exampleSummary(0.01, 0.004),
    },
    random: {
      parts: names.map(() => exampleSummary(1.2 / k, 0.2)),
      residue: exampleSummary(0.03, 0.02),
    },
  });
  return {
    layer: 'conv5',
    channel: 7,
    rule: 'published',
    tau: 0.125,
    randomSplits,
    concepts: names.map((name, own) => ({
      classes: [own],
      classNames: [name],
      published: fractions(own, 0.1),
      positive: fractions(own, 0),
      ratioOfSums: fractions(own, -0.02),
    })),
  };
}

export function exampleDensities(names: readonly string[] = NAMES.slice(0, 3)): DensityCurves {
  const channels = ['original', ...names.map((_, j) => `d${j + 1}`)];
  const curves = channels.flatMap((channel, n) =>
    names.map((concept, j) => {
      const excited = n === 0 || n - 1 === j;
      return {concept, channel, mean: excited ? 22 + 4 * j : 0.4, zeroShare: excited ? 0 : 0.85};
    }),
  );
  const rows = curves.flatMap(({concept, channel, mean}) =>
    Array.from({length: 65}, (_, at) => {
      const width = mean > 1 ? 7 : 0.5;
      const activation = (48 * at) / 64;
      const bell = (x: number) => Math.exp(-0.5 * ((x - mean) / width) ** 2) / (width * Math.sqrt(2 * Math.PI));
      return {concept, channel, activation, density: bell(activation) + bell(-activation)};
    }),
  );
  const concepts = names.map((name, k) => ({classes: [k], classNames: [name]}));
  return {layer: 'conv5', channel: 7, concepts, rows, curves};
}

/** As the paper draws them: signed sums, a panel a concept. */
export function exampleSignedDensities(names: readonly string[] = NAMES.slice(0, 2)): DensityCurves {
  const channels = ['original', 'd1', 'd2'];
  const curves = channels.flatMap((channel, n) =>
    names.map((concept, j) => ({concept, channel, mean: n === 0 || n - 1 === j ? 22 + 4 * n : -9, zeroShare: 0})),
  );
  const rows = curves.flatMap(({concept, channel, mean}) =>
    Array.from({length: 65}, (_, at) => {
      const activation = -30 + (90 * at) / 64;
      const bell = Math.exp(-0.5 * ((activation - mean) / 7) ** 2) / (7 * Math.sqrt(2 * Math.PI));
      return {concept, channel, activation, density: bell / channels.length};
    }),
  );
  const concepts = names.map((name, k) => ({classes: [k], classNames: [name]}));
  return {layer: 'conv5', channel: 7, sums: 'signed', by: 'concept', concepts, rows, curves};
}

export function exampleTriples(): TripleDot[] {
  const names = ['digital clock', 'cauliflower', 'שלום עולם', '<b>dog</b>'];
  return names.map((className, n) => ({
    channel: 1660 - n,
    className,
    own: exampleSummary(1.1 - 0.2 * n, 0.1 + 0.1 * n),
    other: exampleSummary(0.1 * n, 0.08),
    random: exampleSummary(0.55, n === 3 ? NaN : 0.3),
  }));
}

export function exampleAblation(classes = 24, names: readonly string[] = NAMES): AblatedSplit {
  const draw = uniform(3);
  const concepts = [0, 1, 2].map((k) => ({classes: [k], classNames: [names[k]]}));
  return {
    layer: 'conv5',
    channel: 7,
    randomSplits: 10,
    concepts,
    classes: Array.from({length: classes}, (_, k) => {
      const concept = k < 3 ? k : -1;
      const effect = (logit: number) => ({logit});
      const whole = k < 3 ? -4 - k : (draw() - 0.5) * 1.2;
      return {
        class: k,
        className: names[k] ?? `class ${k}`,
        images: 60,
        concept,
        zeroed: effect(whole),
        removed: concepts.map((_, j) => effect(j === concept ? whole * 0.93 : whole * 0.08 * draw())),
        random: concepts.map(() => effect(whole * (0.3 + 0.1 * draw()))),
      };
    }),
  };
}

export function examplePlanted(): PlantedScores {
  const rules = [
    'noSplit',
    'evenShares',
    'random',
    'published',
    'energyMatch',
    'gatedWiener',
    'gatedRidge',
    'trueOwners',
  ];
  const scores = (tier: number) =>
    rules.map((rule, n) => {
      const mean = rule === 'trueOwners' ? 0.99 - 0.2 * tier : 0.5 + 0.05 * n - 0.05 * tier;
      const all = (value: number) =>
        Object.fromEntries(['two', 'pool', 'unseen', 'served'].map((set) => [set, exampleSummary(value, 0.03)]));
      return {rule, r: all(mean), r2: all(mean * mean - 0.3)};
    });
  return {
    model: {name: 'resnet20'},
    layer: 'layer3.2.conv1',
    tiers: ['A', 'C'].map((tier, n) => ({tier, plants: 50, rules: scores(n)})),
  };
}

/** A layer of the size of a ResNet-50's last: 1000 classes, 2048 channels. Most shares are below the floor. */
export function largeStatistics(classes = 1000, outputs = 2048, perClass = 2): RelevanceStatistics {
  const draw = uniform(9);
  const inputs = 64;
  const images = classes * perClass;
  const base = syntheticStatistics({classes: 2, outputs: 2, inputs, images: 4});
  const offsets = new Int32Array(images + 1);
  const channels: number[] = [];
  const values: number[] = [];
  for (let image = 0; image < images; image++) {
    const k = image % classes;
    for (let n = 0; n < 12; n++) {
      channels.push((k * 7 + n * n * 31) % outputs);
      values.push(0.03 + 0.1 * draw());
    }
    offsets[image + 1] = channels.length;
  }
  return {
    ...base,
    layer: {name: 'layer4.2.conv3', kind: 'conv', shape: [1, 1, inputs, outputs]},
    kernel: Float32Array.from({length: inputs * outputs}, () => draw() - 0.5),
    classes,
    classNames: Array.from({length: classes}, (_, k) => `class name ${k % 990}`),
    images: {
      ...base.images,
      total: images,
      done: images,
      paths: Array.from({length: images}, (_, n) => `${n % classes}/${n}.jpg`),
      labels: Int32Array.from({length: images}, (_, n) => n % classes),
    },
    counts: Float64Array.from({length: 2 * classes}, () => perClass / 2),
    inputSums: Float64Array.from({length: 2 * classes * inputs}, () => draw() ** 4),
    shares: {floor: 0.005, offsets, channels: Int32Array.from(channels), values: Float32Array.from(values)},
    hits: Float64Array.from({length: classes}, () => 1),
  };
}
