import type {SuggestedThresholds} from '../../concepts/thresholds';
import {numberText, percentText} from '../../plots/labels';
import {stabilityScatter} from '../../plots';
import {table, words, type View} from './view';

/** τ, p and γ with their reasons, what they call where there is nothing to find, and how stable each call is. */
export function suggestionView(found: SuggestedThresholds): View {
  const {tau, p, gamma, reasons, falseCalls, called, undecided, pairs, classNames} = found;
  const share = (value: number) => (Number.isNaN(value) ? '–' : percentText(value));
  return [
    words(
      `suggested thresholds: τ = ${numberText(tau)}, p = ${numberText(p)}, γ = ${numberText(gamma)}`,
      `τ: ${reasons.tau}`,
      `p: ${reasons.p}`,
      `γ: ${reasons.gamma}`,
      `At them ${share(called)} of the decided pairs are called different; ${undecided} of ${pairs} are undecided.`,
    ),
    table(
      ['where there is nothing to find', {title: 'called different', hint: 'share of such pairs'}],
      [
        ['a class against itself, one half of its images against the other', share(falseCalls.halves)],
        ['two classes whose images are dealt at random (made from the statistics)', share(falseCalls.permuted)],
        ['two merges of the same two classes, one half of both each', share(falseCalls.merges)],
      ],
      {caption: 'false calls at this γ'},
    ),
    {figure: stabilityScatter(found, {classNames})},
  ];
}
