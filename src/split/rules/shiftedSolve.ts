import {dot, type Vector} from '../../numerics/vectors';

/** Stops where the residual is this small against the right-hand side; float32 moments carry no more digits. */
const TOLERANCE = 1e-8;

/** v ↦ A·v */
export type LinearMap = (v: Float64Array) => Float64Array;

/**
 * Solves (B + s·I)·x = q for many shifts s ≥ `least` > 0 at once, by Lanczos iteration with full reorthogonalisation (Golub and Van
 * Loan, section 10.1). B = T·P with T and P symmetric, P positive definite, which makes B self-adjoint in ⟨a, b⟩ = aᵀ·P·b. The shifts
 * here are at least the mean eigenvalue, so that some dozen products replace the D³ of a factorisation.
 * @param q right-hand side, [D]
 * @param least the smallest shift that will be asked for
 * @returns s ↦ P·x, [D]
 */
export function shiftedSolver(
  {T, P = (v) => v}: {T: LinearMap; P?: LinearMap},
  q: Vector,
  least: number,
): (shift: number) => Float64Array {
  const size = q.length;
  /** The P-orthonormal basis v, and P·v. */
  const basis: Float64Array[] = [];
  const images: Float64Array[] = [];
  const alphas: number[] = [];
  const betas: number[] = [];
  let next: Float64Array = Float64Array.from(q);
  let image = P(next);
  const norm = Math.sqrt(Math.max(dot(next, image), 0));
  for (let beta = norm; beta > 0 && basis.length < size;) {
    basis.push(next.map((value) => value / beta));
    images.push(image.map((value) => value / beta));
    const last = basis.length - 1;
    next = T(images[last]);
    alphas.push(dot(next, images[last]));
    // Twice: one pass leaves what rounding made of nearly parallel vectors.
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i <= last; i++) subtract(next, basis[i], dot(next, images[i]));
    }
    image = P(next);
    beta = Math.sqrt(Math.max(dot(next, image), 0));
    const solution = solveTridiagonal(alphas, betas, least);
    if (beta * Math.abs(solution[last]) <= TOLERANCE) break;
    if (beta <= 1e-12 * (Math.abs(alphas[0]) + least)) break;
    betas.push(beta);
  }
  return (shift) => {
    const solution = solveTridiagonal(alphas, betas, shift);
    const x = new Float64Array(size);
    images.forEach((direction, i) => subtract(x, direction, -norm * solution[i]));
    return x;
  };
}

/** x − factor·v, in place. */
function subtract(x: Float64Array, v: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] -= factor * v[i];
}

/** (L + shift·I)·y = e₁ for the symmetric tridiagonal L with diagonal α and off-diagonal β, by elimination. */
function solveTridiagonal(alphas: number[], betas: number[], shift: number): Float64Array {
  const n = alphas.length;
  const upper = new Float64Array(n);
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const below = i > 0 ? betas[i - 1] : 0;
    const pivot = alphas[i] + shift - (i > 0 ? below * upper[i - 1] : 0);
    upper[i] = i < n - 1 ? betas[i] / pivot : 0;
    y[i] = ((i === 0 ? 1 : 0) - (i > 0 ? below * y[i - 1] : 0)) / pivot;
  }
  for (let i = n - 2; i >= 0; i--) y[i] -= upper[i] * y[i + 1];
  return y;
}
