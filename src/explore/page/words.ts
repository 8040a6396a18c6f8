import type {Settings} from './explored';
export {counted as plural} from '../../common/words';

/** Name of the part that a concept gets: d1, d2 … */
export function partName(position: number): string {
  return `d${position + 1}`;
}

/** Code that finds what the thresholds find. */
export function findCode({tau, p, gamma, arv = 'published'}: Settings): string {
  return `const found = uw.findPolysemantic(stats, {tau: ${tau}, p: ${p}, gamma: ${gamma}, arv: '${arv}'});`;
}

/** What pairs are compared by, for a sentence. */
export function comparedBy({arv = 'published'}: Pick<Settings, 'arv'>): string {
  return arv === 'gated' ? 'compared where the channel fires: gated vectors' : 'compared by the published vectors';
}

/** Code that divides a channel; only numbers are in it, since a class may be called anything. */
export function disentangleCode(
  channel: number,
  concepts: readonly {classes: readonly number[]}[],
  rho: number | 'auto',
): string {
  const groups = concepts.map(({classes}) => `[${classes.join(', ')}]`).join(', ');
  const options = rho === 'auto' ? '{images: train}' : `{images: train, rho: ${rho}}`;
  return `const split = await uw.disentangle(model, stats, {channel: ${channel}, concepts: [${groups}]}, ${options});`;
}
