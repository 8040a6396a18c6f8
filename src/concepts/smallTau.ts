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
