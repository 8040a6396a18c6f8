/** A number in a few digits, with a true minus sign. */
export function shortNumber(value: number, digits = 3): string {
  if (Number.isNaN(value)) return '–';
  return value.toFixed(digits).replace('-', '−');
}

/** A value of a knob: as it is written in code, with four significant digits where it is no round number. */
export function knobValue(value: number): string {
  return String(Number(value.toPrecision(4))).replace('-', '−');
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** Name of the part that a concept gets: d1, d2 … */
export function partName(position: number): string {
  return `d${position + 1}`;
}

/** Code that finds what the thresholds find; the page has the published vectors alone. */
export function findCode({tau, p, gamma}: {tau: number; p: number; gamma: number}): string {
  return `const found = uw.findPolysemantic(stats, {tau: ${tau}, p: ${p}, gamma: ${gamma}, arv: 'published'});`;
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
