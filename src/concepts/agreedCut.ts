/** γ is looked for between these: a pair below shares nothing, one above nearly everything. */
const LOWEST = 0.1;
const HIGHEST = 0.7;

/** Least agreement of the halves (Cohen's κ) on a γ that is not the usual one: "substantial" by Landis and Koch (1977). */
const LEAST_KAPPA = 0.6;

/** γ tells something apart where at least this share of the decided pairs is on either side. */
const LEAST_SIDE = 0.05;

/** Whether γ has nearly all pairs on one side. @param below pairs below it */
export const isOneSided = (below: number, pairs: number) => Math.min(below, pairs - below) < LEAST_SIDE * pairs;

/** A γ, and how far the halves of the images agree on it beyond chance. */
export interface Cut {
  gamma: number;
  kappa: number;
}

/** The cut, midway between two neighbouring cosines, of the highest κ; of equal ones the one in the widest gap. */
export function mostAgreed(pairs: readonly {cosine: number; halves: [number, number]}[]): Cut | undefined {
  const cosines = pairs.map(({cosine}) => cosine).sort((a, b) => a - b);
  let best: (Cut & {gap: number}) | undefined;
  for (let n = 1; n < cosines.length; n++) {
    const gamma = (cosines[n - 1] + cosines[n]) / 2;
    const gap = cosines[n] - cosines[n - 1];
    if (gamma < LOWEST || gamma > HIGHEST || isOneSided(n, cosines.length)) continue;
    const kappa = cohensKappa(pairs.map(({halves: [a, b]}) => [a < gamma, b < gamma]));
    if (kappa < LEAST_KAPPA || (best && (kappa < best.kappa || (kappa === best.kappa && gap <= best.gap)))) continue;
    best = {gamma: Math.round(100 * gamma) / 100, kappa, gap};
  }
  return best;
}

/** Agreement of two judges beyond chance, −1..1; 0 where either says the same of all. */
function cohensKappa(calls: readonly (readonly [boolean, boolean])[]): number {
  const share = (is: (call: readonly [boolean, boolean]) => boolean) => calls.filter(is).length / calls.length;
  const alike = share(([a, b]) => a === b);
  const [first, second] = [share(([a]) => a), share(([, b]) => b)];
  const chance = first * second + (1 - first) * (1 - second);
  return chance < 1 ? (alike - chance) / (1 - chance) : 0;
}
