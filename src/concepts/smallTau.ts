import {numberText} from '../common/numbers';

/**
 * A warning where τ is below twice an equal share, 2 / Cout, so that channels count which carry no more than the others.
 * @param outputs Cout
 */
export function smallTau(tau: number, outputs: number): string[] {
  if (tau >= 2 / outputs) return [];
  return [
    `tau ${numberText(tau)} is small for ${outputs} channels: many will count as relevant; 2 / ${outputs} = ${numberText(2 / outputs)} is twice an equal share`,
  ];
}

/**
 * τ where none is given: the paper's 0.03, which is made for 2048 channels, or twice an equal share where that is more, at most 1.
 * @param outputs Cout
 * @param floor the smallest share that statistics keep. @default 0
 */
export const usualTau = (outputs: number, floor = 0): number => Math.min(1, Math.max(0.03, 2 / outputs, floor));
