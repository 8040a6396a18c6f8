/**
 * Convolution and its derivatives straight from the definition: loops over batch, output position, tap and channels in
 * float64. Slow, and obviously right.
 */
export interface ConvolutionCase {
  input: [number, number, number, number];
  /** [kh, kw, Cin, Cout]; depthwise [kh, kw, C, M]. */
  filter: [number, number, number, number];
  stride: [number, number];
  dilation: [number, number];
  pad: 'same' | 'valid';
  depthwise: boolean;
}

/** Output size and zeros before the input along one axis, as TensorFlow defines `same` and `valid`. */
export function axisGeometry(size: number, kernel: number, stride: number, dilation: number, pad: 'same' | 'valid') {
  const reach = dilation * (kernel - 1) + 1;
  if (pad === 'valid') return {output: Math.floor((size - reach) / stride) + 1, before: 0};
  const output = Math.ceil(size / stride);
  return {output, before: Math.floor(Math.max(0, (output - 1) * stride + reach - size) / 2)};
}

export function outputShape({input, filter, stride, dilation, pad, depthwise}: ConvolutionCase) {
  const [rows, columns] = [0, 1].map((a) => axisGeometry(input[a + 1]!, filter[a]!, stride[a]!, dilation[a]!, pad));
  return [input[0], rows!.output, columns!.output, depthwise ? filter[2] * filter[3] : filter[3]] as const;
}

/** Calls `visit` with the flat indices of every (input, weight, output) that are multiplied and added. */
function eachProduct(shape: ConvolutionCase, visit: (x: number, w: number, y: number) => void): void {
  const {input, filter, stride, dilation, pad, depthwise} = shape;
  const [batch, height, width, channels] = input;
  const [kh, kw, , last] = filter;
  const [, outHeight, outWidth, outChannels] = outputShape(shape);
  const top = axisGeometry(height, kh, stride[0], dilation[0], pad).before;
  const left = axisGeometry(width, kw, stride[1], dilation[1], pad).before;
  for (let b = 0; b < batch; b++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let ty = 0; ty < kh; ty++)
          for (let tx = 0; tx < kw; tx++) {
            const iy = oy * stride[0] + ty * dilation[0] - top;
            const ix = ox * stride[1] + tx * dilation[1] - left;
            if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
            for (let i = 0; i < channels; i++)
              for (let m = 0; m < last; m++) {
                const x = ((b * height + iy) * width + ix) * channels + i;
                const w = ((ty * kw + tx) * channels + i) * last + m;
                const channel = depthwise ? i * last + m : m;
                visit(x, w, ((b * outHeight + oy) * outWidth + ox) * outChannels + channel);
              }
          }
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

export function slowConvolution(shape: ConvolutionCase, x: ArrayLike<number>, w: ArrayLike<number>): Float64Array {
  const y = new Float64Array(sizeOf(outputShape(shape)));
  eachProduct(shape, (xi, wi, yi) => (y[yi]! += x[xi]! * w[wi]!));
  return y;
}

/** Derivative of Σ y·dy with respect to the input. */
export function slowInputGradient(shape: ConvolutionCase, dy: ArrayLike<number>, w: ArrayLike<number>): Float64Array {
  const dx = new Float64Array(sizeOf(shape.input));
  eachProduct(shape, (xi, wi, yi) => (dx[xi]! += dy[yi]! * w[wi]!));
  return dx;
}

/** Derivative of Σ y·dy with respect to the weights. */
export function slowFilterGradient(shape: ConvolutionCase, dy: ArrayLike<number>, x: ArrayLike<number>): Float64Array {
  const dw = new Float64Array(sizeOf(shape.filter));
  eachProduct(shape, (xi, wi, yi) => (dw[wi]! += dy[yi]! * x[xi]!));
  return dw;
}
