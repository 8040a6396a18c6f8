import type {PolysemanticChannels} from './types';

const ROWS = 12;

/** A table for a terminal or a cell, and what to do where it is empty. */
export function describeChannels(found: PolysemanticChannels): string {
  const {tau, p, gamma, allPairs} = found.thresholds;
  const lines = [
    `layer ${found.layer}: ${found.candidates.length} channels are relevant to at least two classes (τ ${round(tau)}, p ${round(p)}); ` +
      (allPairs
        ? `${found.pairs.length} pairs, whatever γ`
        : `${found.length} of them are polysemantic (γ ${round(gamma)}), ${found.pairs.length} pairs`),
  ];
  for (const {channel, lowestCosine, concepts} of found.slice(0, ROWS)) {
    const names = concepts.map((concept) => concept.classNames.join(' + ')).join('  |  ');
    lines.push(
      `  channel ${String(channel).padStart(4)}  lowest cosine ${lowestCosine.toFixed(3).padStart(6)}  ${names}`,
    );
  }
  if (found.length > ROWS) lines.push(`  … and ${found.length - ROWS} more`);
  if (found.length === 0) lines.push(adviceWhereEmpty(found));
  return [...lines, ...found.warnings.map((warning) => `warning: ${warning}`)].join('\n');
}

/** γ depends on the network: says what its cosines are, so that one can be chosen. */
function adviceWhereEmpty(found: PolysemanticChannels): string {
  const {cosines} = found;
  if (cosines.length === 0) return '  no channel is relevant to two classes: give a smaller tau or p';
  const at = (fraction: number) =>
    cosines[Math.min(cosines.length - 1, Math.floor(fraction * cosines.length))].toFixed(3);
  return (
    `  no pair is below γ. γ depends on the network; here the cosines of ${cosines.length} pairs are ${at(0)} (lowest), ${at(0.05)} (5 %), ${at(0.25)} (25 %), ${at(0.5)} (median). ` +
    'Choose γ among them, or report all pairs'
  );
}

function round(value: number): string {
  return String(Number(value.toFixed(4)));
}
