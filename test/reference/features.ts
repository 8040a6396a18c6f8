/** The pieces of feature visualisation straight from their definitions: loops in float64. Slow, and obviously right. */
import type {View} from '../../src/features/resample';

/** Bilinear interpolation of one image [H, W, C] at a place (y, x), with one colour beyond the border. */
function interpolated(
  image: ArrayLike<number>,
  [height, width, channels]: readonly [number, number, number],
  [y, x, c]: readonly [number, number, number],
  outside: readonly number[],
): number {
  const pixel = (row: number, column: number) =>
    row >= 0 && row < height && column >= 0 && column < width
      ? image[(row * width + column) * channels + c]!
      : outside[c]!;
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, right] = [y - top, x - left];
  const upper = pixel(top, left) * (1 - right) + pixel(top, left + 1) * right;
  const lower = pixel(top + 1, left) * (1 - right) + pixel(top + 1, left + 1) * right;
  return upper * (1 - down) + lower * down;
}

/** One image seen through a view, [H, W, C]. */
export function slowResample(
  image: ArrayLike<number>,
  shape: readonly [number, number, number],
  {a, b, c, d, e, f}: View,
  outside: readonly number[],
): number[] {
  const [height, width, channels] = shape;
  const seen: number[] = [];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [v, u] = [row - (height - 1) / 2, column - (width - 1) / 2];
      const [y, x] = [a * v + b * u + e + (height - 1) / 2, c * v + d * u + f + (width - 1) / 2];
      for (let channel = 0; channel < channels; channel++) {
        seen.push(interpolated(image, shape, [y, x, channel], outside));
      }
    }
  }
  return seen;
}

/** |X(ky, kx)|² of a real plane's discrete Fourier transform X(k) = Σ plane · e^(−2πi (ky·y/H + kx·x/W)), [H, W]. */
export function slowPower(plane: ArrayLike<number>, height: number, width: number): number[] {
  const power: number[] = [];
  for (let ky = 0; ky < height; ky++) {
    for (let kx = 0; kx < width; kx++) {
      let [real, imaginary] = [0, 0];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const phase = -2 * Math.PI * ((ky * y) / height + (kx * x) / width);
          real += plane[y * width + x]! * Math.cos(phase);
          imaginary += plane[y * width + x]! * Math.sin(phase);
        }
      }
      power.push(real ** 2 + imaginary ** 2);
    }
  }
  return power;
}

/** Σ over waves of coefficient · vertical wave(y) · horizontal wave(x), for waves 1, cos 1, sin 1, cos 2 … of unit length. */
export function slowSynthesis(coefficients: ArrayLike<number>, height: number, width: number): number[] {
  const wave = (index: number, at: number, n: number) => {
    const frequency = Math.ceil(index / 2);
    const value = (x: number) => {
      const phase = (2 * Math.PI * frequency * x) / n;
      return index > 0 && index % 2 === 0 ? Math.sin(phase) : Math.cos(phase);
    };
    let length = 0;
    for (let x = 0; x < n; x++) length += value(x) ** 2;
    return value(at) / Math.sqrt(length);
  };
  const plane: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          sum += coefficients[row * width + column]! * wave(row, y, height) * wave(column, x, width);
        }
      }
      plane.push(sum);
    }
  }
  return plane;
}

/** Mean over pairs of images of 1 − cos of their Gram matrices Σ_position z_c z_c'. @param maps [image][position][channel] */
export function slowDiversity(maps: number[][][]): number {
  const grams = maps.map((positions) =>
    positions[0]!.flatMap((_, c) =>
      positions[0]!.map((__, other) => positions.reduce((sum, z) => sum + z[c]! * z[other]!, 0)),
    ),
  );
  let [total, pairs] = [0, 0];
  for (let i = 0; i < grams.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [grams[i]!, grams[j]!];
      total += 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
      pairs += 1;
    }
  }
  return total / pairs;
}

/** (f(x + h·u) − f(x − h·u)) / 2h along a direction u. */
export function finiteDifference(
  f: (x: Float32Array) => number,
  x: ArrayLike<number>,
  direction: ArrayLike<number>,
  h: number,
): number {
  const moved = (step: number) => Float32Array.from({length: x.length}, (_, i) => x[i]! + step * direction[i]!);
  return (f(moved(h)) - f(moved(-h))) / (2 * h);
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
