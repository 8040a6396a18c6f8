/** Arrays for the slow twins of operators; shapes have the batch axis first. */
export interface Values {
  shape: number[];
  data: Float64Array;
}

export type Arguments = Record<string, unknown>;
export type Pair = [number, number];
export type Slow = (inputs: Values[], args: Arguments, weights: Record<string, Values>) => Values;

export const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** An array of this shape whose elements `at` computes from their indices. */
export function fill(shape: number[], at: (index: number[]) => number): Values {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let flat = 0; flat < data.length; flat++) {
    data[flat] = at(index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return {shape, data};
}

/** The element at an index; axes of 1 broadcast. */
export function read({shape, data}: Values, index: readonly number[]): number {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) flat = flat * shape[axis]! + (shape[axis] === 1 ? 0 : index[axis]!);
  return data[flat]!;
}

export const images = ({shape}: Values) => shape as [number, number, number, number];
