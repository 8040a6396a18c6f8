/** Kernels of the parts and of the residue, [taps, Cin] each. */
export interface PartKernels {
  parts: Float32Array[];
  residue: Float32Array;
}

/** d_j = λ_j ⊙ w and r = (Σ_j λ_j − 1)/(k − 1) ⊙ w, so that Σ_j d_j − (k − 1)·r = w. */
export function kernelsFromOwnership(kernel: Float32Array, ownership: readonly Float64Array[]): PartKernels {
  const inputs = ownership[0].length;
  const k = ownership.length;
  const residueShare = Float64Array.from({length: inputs}, (_, i) => {
    const owned = ownership.reduce((sum, lambda) => sum + lambda[i], 0);
    return (owned - 1) / (k - 1);
  });
  const times = (share: Float64Array) => kernel.map((weight, at) => weight * share[at % inputs]);
  return {parts: ownership.map(times), residue: times(residueShare)};
}

/** Free kernels that add up to w: the last takes up what float32 rounding leaves, and the residue is zero. */
export function kernelsFromParts(kernel: Float32Array, kernels: readonly Float64Array[]): PartKernels {
  const parts = kernels.map((part) => Float32Array.from(part));
  const last = parts.length - 1;
  parts[last] = kernel.map((weight, at) => {
    const others = parts.slice(0, last).reduce((sum, part) => sum + part[at], 0);
    return weight - others;
  });
  return {parts, residue: new Float32Array(kernel.length)};
}

/** Kernels [taps, Cin] side by side as one convolution kernel, [taps, Cin, N] row-major. */
export function stackKernels(kernels: readonly Float32Array[]): Float32Array {
  const count = kernels.length;
  const stacked = new Float32Array(kernels[0].length * count);
  kernels.forEach((kernel, n) => {
    for (let at = 0; at < kernel.length; at++) stacked[at * count + n] = kernel[at];
  });
  return stacked;
}
