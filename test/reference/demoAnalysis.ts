/**
 * The whole method on the demo network, spelt out one number at a time: relevance by the head's closed form, averaged
 * relevance vectors, source channels, the choice of ρ and the parts' shares of the original. Slow and obvious on purpose.
 */

/** What `conv5` reads and everything after it. M input channels, C channels of the layer, K classes, P positions. */
export interface Head {
  /** Kernel of conv5, [M, C]. */
  kernel: Float32Array;
  /** bn5 as y = scale · z + shift, [C] each. */
  scale: Float64Array;
  shift: Float64Array;
  /** Kernel of the dense layer, [C, K]. */
  dense: Float32Array;
  inputs: number;
  channels: number;
  classes: number;
  positions: number;
}

/** Inputs of conv5 for each image, [P, M], with the image's class. */
export interface Features {
  images: Float32Array[];
  labels: number[];
}

/** R_c = Σ_hw Z_c · ∂y_k/∂Z_c, with y_k = Σ_c dense[c, k] · mean_hw relu(scale_c · Z_c + shift_c) + bias. */
export function relevanceOf(head: Head, image: Float32Array, k: number): number[] {
  return range(head.channels).map((c) => {
    const kernel = kernelOf(head, c);
    let sum = 0;
    for (let p = 0; p < head.positions; p++) {
      const z = outputAt(head, image, p, kernel);
      const open = head.scale[c] * z + head.shift[c] > 0;
      if (open) sum += z * head.scale[c] * (head.dense[c * head.classes + k] / head.positions);
    }
    return sum;
  });
}

/** [c][k]: whether channel c is important in at least a fraction p of the images of class k. */
export function relevantChannels(head: Head, {images, labels}: Features, tau: number, p: number): boolean[][] {
  const important = range(head.channels).map(() => new Array<number>(head.classes).fill(0));
  const count = new Array<number>(head.classes).fill(0);
  images.forEach((image, n) => {
    const relevance = relevanceOf(head, image, labels[n]);
    const total = relevance.reduce((sum, r) => sum + Math.max(r, 0), 0);
    count[labels[n]]++;
    if (total > 0) relevance.forEach((r, c) => (important[c][labels[n]] += r >= tau * total ? 1 : 0));
  });
  return important.map((row) => row.map((times, k) => times >= p * count[k]));
}

/** ARV(c, k)[i] = mean over the images of class k of W[i, c] · Σ_hw X_i, as [c][k][i]. */
export function averagedRelevance(head: Head, {images, labels}: Features): number[][][] {
  const sums = range(head.classes).map(() => new Array<number>(head.inputs).fill(0));
  const count = new Array<number>(head.classes).fill(0);
  images.forEach((image, n) => {
    count[labels[n]]++;
    for (let at = 0; at < image.length; at++) sums[labels[n]][at % head.inputs] += image[at];
  });
  return range(head.channels).map((c) => {
    const w = kernelOf(head, c);
    return sums.map((sum, k) => sum.map((s, i) => (w[i] * s) / count[k]));
  });
}

export function cosine(a: number[], b: number[]): number {
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** The `size` classes among `classes` whose highest cosine of two is lowest. */
export function mostDifferent(arv: number[][], classes: number[], size: 2 | 3): {classes: number[]; cosine: number} {
  let best = {classes: [] as number[], cosine: Infinity};
  const extend = (chosen: number[], from: number, highest: number) => {
    if (chosen.length === size) {
      if (highest < best.cosine) best = {classes: chosen, cosine: highest};
      return;
    }
    for (let n = from; n < classes.length; n++) {
      const cosines = chosen.map((k) => cosine(arv[k], arv[classes[n]]));
      extend([...chosen, classes[n]], n + 1, Math.max(highest, ...cosines));
    }
  };
  extend([], 0, -Infinity);
  return best;
}

/** Owner of each source: the first j with ρ·ARV_j,i > ARV_l,i for every other l; −1 where all share it. */
export function ownersOf(arvs: number[][], rho: number): number[] {
  return arvs[0].map((_, i) => arvs.findIndex((a, j) => arvs.every((b, l) => l === j || rho * a[i] > b[i])));
}

/** Kernels of the parts d_1 … d_k and of the residue: d_j lacks what other concepts own, the residue what any owns. */
export function partsOf(kernel: number[], owners: number[], k: number): number[][] {
  const parts = range(k).map((j) => kernel.map((w, i) => (owners[i] === -1 || owners[i] === j ? w : 0)));
  return [...parts, kernel.map((w, i) => (owners[i] === -1 ? w : 0))];
}

/** Σ_hw relu(kernel · X) of one image. */
export function activation(head: Head, image: Float32Array, kernel: number[]): number {
  let sum = 0;
  for (let p = 0; p < head.positions; p++) sum += Math.max(0, outputAt(head, image, p, kernel));
  return sum;
}

/** The ρ among 0.05, 0.10 … 1 with the highest Σ_j mean over images of concept j of Σrelu(d_j) / (Σ_l≠j Σrelu(d_l) + 1e-5). */
export function bestRho(head: Head, kernel: number[], arvs: number[][], concepts: Float32Array[][]): number {
  const scored = new Map<string, number>();
  let best = {rho: 0, score: -Infinity};
  for (let step = 1; step <= 20; step++) {
    const rho = step / 20;
    const owners = ownersOf(arvs, rho);
    if (scored.has(owners.join())) continue;
    const parts = partsOf(kernel, owners, arvs.length).slice(0, -1);
    let score = 0;
    concepts.forEach((images, j) => {
      for (const image of images) {
        const sums = parts.map((part) => activation(head, image, part));
        const others = sums.reduce((sum, value, l) => (l === j ? sum : sum + value), 0);
        score += sums[j] / (others + 1e-5) / images.length;
      }
    });
    scored.set(owners.join(), score);
    if (score > best.score) best = {rho, score};
  }
  return best.rho;
}

/** [concept][part]: Σ over images and positions of relu(part) ÷ the same of the original; the last part is the residue. */
export function shares(head: Head, kernel: number[], owners: number[], concepts: Float32Array[][]): number[][] {
  const parts = partsOf(kernel, owners, concepts.length);
  const total = (images: Float32Array[], w: number[]) => images.reduce((sum, x) => sum + activation(head, x, w), 0);
  return concepts.map((images) => parts.map((part) => total(images, part) / total(images, kernel)));
}

/** Means over a table's diagonal, over what lies beside it, and over the last column. */
export function summary(table: number[][]): {own: number; other: number; residue: number} {
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const beside = table.flatMap((row, j) => row.slice(0, -1).filter((_, l) => l !== j));
  return {
    own: mean(table.map((row, j) => row[j])),
    other: mean(beside),
    residue: mean(table.map((row) => row[row.length - 1])),
  };
}

export function kernelOf({kernel, inputs, channels}: Head, c: number): number[] {
  return range(inputs).map((i) => kernel[i * channels + c]);
}

function outputAt({inputs}: Head, image: Float32Array, p: number, kernel: number[]): number {
  let z = 0;
  for (let i = 0; i < inputs; i++) z += kernel[i] * image[p * inputs + i];
  return z;
}

function range(n: number): number[] {
  return Array.from({length: n}, (_, i) => i);
}
