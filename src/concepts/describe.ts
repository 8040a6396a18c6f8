import {numberText} from '../common/numbers';
import {classesWithImages} from '../numerics/statistics';
import {option} from '../common/options';
import {counted, namedClass, namedClasses} from '../common/words';
import type {PolysemanticChannel, PolysemanticChannels} from './types';

const ROWS = 12;

/** A table for a terminal or a cell, and what to do where it is empty. */
export function describeChannels(
  found: PolysemanticChannels,
  descriptionOf: (channel: number) => string | undefined = () => undefined,
): string {
  const lines = [headline(found)];
  for (const one of found.slice(0, ROWS)) {
    lines.push(`  ${describeChannel(one)}`);
    const said = descriptionOf(one.channel);
    if (said !== undefined) lines.push(`                described as: ${said}`);
  }
  if (found.length > ROWS) lines.push(`  … and ${found.length - ROWS} more`);
  if (found.length === 0) lines.push(adviceWhereEmpty(found));
  return [...lines, ...warningLines(found)].join('\n');
}

/** One channel on a line: its lowest cosine and its concepts. */
export function describeChannel({channel, lowestCosine, concepts}: PolysemanticChannel): string {
  const names = concepts.map(namedClasses).join(' | ');
  return `channel ${String(channel).padStart(4)}  lowest cosine ${numberText(lowestCosine).padStart(6)}  ${names}`;
}

/** Every reported pair on a line of its own. */
export function describePairs(found: PolysemanticChannels): string {
  const names = new Map(
    found.flatMap(({concepts}) =>
      concepts.flatMap(({classes, classNames}) => classes.map((k, at) => [k, namedClass(k, classNames[at])] as const)),
    ),
  );
  const {classNames} = found.stats;
  const named = (k: number) => names.get(k) ?? namedClass(k, classNames[k]);
  const lines = found.pairs.map(
    ({channel, classes: [a, b], cosine, decision}) =>
      `  channel ${String(channel).padStart(4)}  cosine ${numberText(cosine).padStart(6)}  ${named(a)} | ${named(b)}${decision === 'undecided' ? '  undecided' : ''}`,
  );
  return [headline(found), ...lines, ...warningLines(found)].join('\n');
}

function headline({layer, candidates, pairs, length, thresholds, undecided}: PolysemanticChannels): string {
  const {tau, p, gamma, allPairs, arv} = thresholds;
  const relevant = `${counted(candidates.length, 'channel')} ${candidates.length === 1 ? 'is' : 'are'} relevant to at least two classes (τ = ${numberText(tau)}, p = ${numberText(p)})`;
  const reported = allPairs
    ? `${counted(pairs.length, 'pair')}, whatever γ`
    : `${length} of them ${length === 1 ? 'is' : 'are'} polysemantic (γ = ${numberText(gamma)}${arv === 'gated' ? ', gated vectors' : ', published vectors'}), ${counted(pairs.length, 'pair')}`;
  const open = undecided.length > 0 ? `; ${counted(undecided.length, 'pair')} undecided` : '';
  return `layer ${layer}: ${relevant}; ${reported}${open}`;
}

function warningLines({warnings}: PolysemanticChannels): string[] {
  return warnings.map((warning) => `warning: ${warning}`);
}

/** Of ascending cosines, at least one: what a γ can be chosen from. */
export function cosineQuantiles(cosines: Float64Array) {
  const at = (fraction: number) => cosines[Math.min(cosines.length - 1, Math.floor(fraction * cosines.length))];
  return {lowest: at(0), p05: at(0.05), p25: at(0.25), median: at(0.5)};
}

/** γ depends on the network: says what its cosines are, so that one can be chosen. */
function adviceWhereEmpty(found: PolysemanticChannels): string {
  const {cosines, undecided} = found;
  if (cosines.length === 0 && undecided.length > 0)
    return `  no pair can be decided: in each, a class does not agree with itself between the two halves of its images. Collect with more images of each class, or compare as the paper does (${option('arv')} published)`;
  const classes = classesWithImages(found.stats).length;
  if (classes < 2)
    return `  the statistics are of images of ${counted(classes, 'class', 'classes')}; collect images of two or more`;
  if (cosines.length === 0)
    return `  no channel is relevant to two classes: give a smaller ${option('tau')} or ${option('p')}`;
  const {lowest, p05, p25, median} = cosineQuantiles(cosines);
  return (
    `  no pair is below γ. γ depends on the network; here the cosines of ${counted(cosines.length, 'pair')} are ${numberText(lowest)} (lowest), ${numberText(p05)} (5 %), ${numberText(p25)} (25 %), ${numberText(median)} (median). ` +
    `Choose γ among them, or report all pairs (${option('allPairs')})`
  );
}
