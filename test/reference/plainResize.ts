/** A triangle, and Keys' cubic of a = −1/2 (Cubic convolution interpolation, 1981, equation 4). */
const KERNELS = {
  bilinear: (s: number) => Math.max(1 - s, 0),
  bicubic: (s: number) =>
    s < 1 ? 1.5 * s ** 3 - 2.5 * s ** 2 + 1 : s < 2 ? -0.5 * s ** 3 + 2.5 * s ** 2 - 4 * s + 2 : 0,
};

/**
 * Antialiased bilinear or bicubic resize from its definition, for one channel and in float64: each output sample is the mean of the source
 * weighted by a kernel about its centre, as wide as the reduction, one plain loop over the whole image.
 */
export function plainResize(
  source: ArrayLike<number>,
  from: {width: number; height: number},
  to: {width: number; height: number},
  interpolation: keyof typeof KERNELS = 'bilinear',
): number[] {
  const weight = (sample: number, output: number, length: number, newLength: number): number => {
    const scale = length / newLength;
    const distance = Math.abs(sample + 0.5 - (output + 0.5) * scale) / Math.max(scale, 1);
    return KERNELS[interpolation](distance);
  };
  const out: number[] = [];
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) {
      let sum = 0;
      let total = 0;
      for (let v = 0; v < from.height; v++) {
        for (let u = 0; u < from.width; u++) {
          const w = weight(v, y, from.height, to.height) * weight(u, x, from.width, to.width);
          sum += w * source[v * from.width + u];
          total += w;
        }
      }
      out.push(Math.min(255, Math.max(0, sum / total)));
    }
  }
  return out;
}
