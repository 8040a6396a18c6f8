/** Operators that move values about, from their definitions. */
import {fill, images, read, type Pair, type Slow, type Values} from './slowValues';

export const concatenate: Slow = (inputs, {axis}) => {
  const at = axis as number;
  const shape = inputs[0]!.shape.slice();
  shape[at] = inputs.reduce((total, input) => total + input.shape[at]!, 0);
  return fill(shape, (index) => {
    let i = index[at]!;
    const input = inputs.find((candidate) => {
      if (i < candidate.shape[at]!) return true;
      i -= candidate.shape[at]!;
      return false;
    })!;
    return read(
      input,
      index.map((value, each) => (each === at ? i : value)),
    );
  });
};

export const slice: Slow = ([x], {axis, start, end, step}) => {
  const [at, from, until, by] = [axis, start, end, step] as number[];
  const shape = x!.shape.slice();
  shape[at!] = 0;
  for (let i = from!; i < until!; i += by!) shape[at!]!++;
  return fill(shape, (index) =>
    read(
      x!,
      index.map((value, each) => (each === at ? from! + value * by! : value)),
    ),
  );
};

export const pad: Slow = ([x], {paddings, mode, value}) => {
  const sides: Pair[] = [[0, 0], ...(paddings as Pair[])];
  const shape = x!.shape.map((size, axis) => size + sides[axis]![0] + sides[axis]![1]);
  return fill(shape, (index) => {
    const inside = index.map((at, axis) => {
      const i = at - sides[axis]![0];
      const last = x!.shape[axis]! - 1;
      if (mode === 'reflect') return i < 0 ? -i : i > last ? 2 * last - i : i;
      return mode === 'edge' ? Math.min(Math.max(i, 0), last) : i;
    });
    return inside.every((i, axis) => i >= 0 && i < x!.shape[axis]!) ? readExactly(x!, inside) : (value as number);
  });
};

function readExactly({shape, data}: Values, index: readonly number[]): number {
  return data[index.reduce((flat, at, axis) => flat * shape[axis]! + at, 0)]!;
}

export const resize: Slow = ([x], {size, interpolation, coordinates}) => {
  const [batch, height, width, channels] = images(x!);
  const [rows, columns] = size as Pair;
  const position = (o: number, n: number, m: number) => {
    if (coordinates === 'half_pixel') return ((o + 0.5) * n) / m - 0.5;
    if (coordinates === 'asymmetric') return (o * n) / m;
    return m > 1 ? (o * (n - 1)) / (m - 1) : 0;
  };
  /** [input, share] of each input that is read. */
  const reads = (o: number, n: number, m: number): Pair[] => {
    const at = position(o, n, m);
    if (interpolation === 'nearest') {
      const whole = coordinates === 'asymmetric' ? Math.floor(at + 1e-9) : Math.floor(at + 0.5 + 1e-9);
      return [[Math.min(Math.max(whole, 0), n - 1), 1]];
    }
    const inside = Math.min(Math.max(at, 0), n - 1);
    const below = Math.floor(inside);
    return [
      [below, 1 - (inside - below)],
      [Math.min(below + 1, n - 1), inside - below],
    ];
  };
  return fill([batch, rows, columns, channels], ([b, r, c, o]) => {
    let total = 0;
    for (const [y, a] of reads(r!, height, rows))
      for (const [z, e] of reads(c!, width, columns)) total += a * e * read(x!, [b!, y, z, o!]);
    return total;
  });
};
