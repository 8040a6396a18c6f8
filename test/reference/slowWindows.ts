import {fill, images, read, type Arguments, type Pair, type Slow} from './slowValues';

/** Convolutions and pooling from their definitions. */

/** Output size and padding before along one axis, for a kernel's size, stride, dilation. */
function window(
  n: number,
  size: number,
  stride: number,
  dilation: number,
  padding: unknown,
  axis: number,
  ceil: boolean,
) {
  const reach = dilation * (size - 1) + 1;
  if (padding === 'same') {
    const output = Math.ceil(n / stride);
    return {output, before: Math.floor(Math.max(0, (output - 1) * stride + reach - n) / 2), asked: 0};
  }
  const [before, asked] = padding === 'valid' ? [0, 0] : (padding as [Pair, Pair])[axis]!;
  // Windows that fit into the padded input, then, with `ceil`, one more where elements are left over and it starts before their end.
  let output = 0;
  while (output * stride + reach <= n + before + asked) output++;
  const covered = (output - 1) * stride + reach;
  if (ceil && covered < n + before + asked && output * stride < n + before) output++;
  return {output, before, asked};
}

type Tap = {row: number; column: number; y: number; x: number; inside: boolean; counted: boolean};

/** Calls back for each output position with the taps of its window. */
function sliding(
  [height, width]: Pair,
  size: Pair,
  {strides, dilationRate = [1, 1], padding, ceilMode = false}: Arguments,
): {rows: number; columns: number; taps: (row: number, column: number) => Tap[]} {
  const [s, d] = [strides as Pair, dilationRate as Pair];
  const [v, h] = [height, width].map((n, axis) =>
    window(n, size[axis]!, s[axis]!, d[axis]!, padding, axis, ceilMode === true),
  );
  const taps = (row: number, column: number) => {
    const list: Tap[] = [];
    for (let a = 0; a < size[0]; a++)
      for (let b = 0; b < size[1]; b++) {
        const y = row * s[0] + a * d[0] - v!.before;
        const x = column * s[1] + b * d[1] - h!.before;
        const inside = y >= 0 && y < height && x >= 0 && x < width;
        const bottom = padding === 'same' ? Infinity : height + v!.asked;
        const right = padding === 'same' ? Infinity : width + h!.asked;
        list.push({row: a, column: b, y, x, inside, counted: y < bottom && x < right});
      }
    return list;
  };
  return {rows: v!.output, columns: h!.output, taps};
}

export const conv2d: Slow = ([x], args, {kernel, bias}) => {
  const [batch, height, width] = images(x!);
  const [kh, kw, inner, outer] = kernel!.shape as [number, number, number, number];
  const perGroup = outer / (args['groups'] as number);
  const {rows, columns, taps} = sliding([height, width], [kh, kw], args);
  return fill([batch, rows, columns, outer], ([b, r, c, o]) => {
    let sum = bias ? bias.data[o!]! : 0;
    const group = Math.floor(o! / perGroup);
    for (const tap of taps(r!, c!))
      if (tap.inside)
        for (let i = 0; i < inner; i++)
          sum += read(x!, [b!, tap.y, tap.x, group * inner + i]) * read(kernel!, [tap.row, tap.column, i, o!]);
    return sum;
  });
};

export const depthwise: Slow = ([x], args, {kernel, bias}) => {
  const [batch, height, width, channels] = images(x!);
  const [kh, kw, , multiplier] = kernel!.shape as [number, number, number, number];
  const {rows, columns, taps} = sliding([height, width], [kh, kw], args);
  return fill([batch, rows, columns, channels * multiplier], ([b, r, c, o]) => {
    const [channel, m] = [Math.floor(o! / multiplier), o! % multiplier];
    let sum = bias ? bias.data[o!]! : 0;
    for (const tap of taps(r!, c!))
      if (tap.inside) sum += read(x!, [b!, tap.y, tap.x, channel]) * read(kernel!, [tap.row, tap.column, channel, m]);
    return sum;
  });
};

/** Every input adds its kernel to the full output, which is then cut. */
export const transposed: Slow = ([x], args, {kernel, bias}) => {
  const [batch, height, width, inner] = images(x!);
  const [kh, kw, outer] = kernel!.shape as [number, number, number, number];
  const [s, d, extra] = [args['strides'], args['dilationRate'], args['outputPadding']] as Pair[];
  const axis = (n: number, k: number, at: 0 | 1) => {
    const full = (n - 1) * s![at] + d![at] * (k - 1) + 1;
    if (args['padding'] === 'valid') return {cut: 0, output: Math.max(full, n * s![at]) + extra![at]};
    if (args['padding'] === 'same') {
      return {cut: Math.floor(Math.max(full - n * s![at], 0) / 2), output: n * s![at] + extra![at]};
    }
    const [before, after] = (args['padding'] as [Pair, Pair])[at];
    return {cut: before, output: full - before - after + extra![at]};
  };
  const [v, h] = [axis(height, kh, 0), axis(width, kw, 1)];
  const y = fill([batch, v.output, h.output, outer], ([, , , o]) => (bias ? bias.data[o!]! : 0));
  for (let b = 0; b < batch; b++)
    for (let r = 0; r < height; r++)
      for (let c = 0; c < width; c++)
        for (let a = 0; a < kh; a++)
          for (let e = 0; e < kw; e++) {
            const [row, column] = [r * s![0] + a * d![0] - v.cut, c * s![1] + e * d![1] - h.cut];
            if (row < 0 || row >= v.output || column < 0 || column >= h.output) continue;
            for (let o = 0; o < outer; o++)
              for (let i = 0; i < inner; i++)
                y.data[((b * v.output + row) * h.output + column) * outer + o]! +=
                  read(x!, [b, r, c, i]) * read(kernel!, [a, e, o, i]);
          }
  return y;
};

export const pool =
  (average: boolean): Slow =>
  ([x], args) => {
    const [batch, height, width, channels] = images(x!);
    const {rows, columns, taps} = sliding([height, width], args['poolSize'] as Pair, args);
    return fill([batch, rows, columns, channels], ([b, r, c, o]) => {
      const all = taps(r!, c!);
      const inside = all.filter((tap) => tap.inside).map((tap) => read(x!, [b!, tap.y, tap.x, o!]));
      if (!average) return Math.max(...inside);
      const count = args['countPadding'] ? all.filter((tap) => tap.counted).length : inside.length;
      return count > 0 ? inside.reduce((sum, value) => sum + value, 0) / count : 0;
    });
  };
