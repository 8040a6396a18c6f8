import type {SplitRule} from '../types';
import {hardOwnership, sourceOwners} from '../sources';
import {activeKernel, checkSize, gatedMoments, requireInputs} from './activity';
import {chooseRho} from './published';

/**
 * The published rule (Hesse et al. 2025, section 3.3) on what makes the channel fire: a source goes to the concept for which it
 * contributes more, by the factor 1/ρ, on average over the positions where the channel fires, instead of over all positions.
 */
export const gatedPublished: SplitRule = {
  name: 'gatedPublished',
  description: 'hard ownership as published, by contributions where the channel fires instead of everywhere',
  needsInputs: () => true,
  async solve(problem) {
    const inputs = requireInputs(problem, 'gatedPublished');
    checkSize(
      problem.layer.shape[2],
      'gatedPublished',
      'take a layer with fewer input channels, or the rule published',
    );
    const moments = await gatedMoments(problem, inputs, activeKernel(problem), 'contributions', problem.fires ?? 0);
    const concepts = problem.concepts.map((concept, j) => ({...concept, arv: moments[j].mean}));
    const rho =
      problem.rho === 'auto'
        ? await chooseRho({...problem, concepts})
        : {rho: problem.rho, scores: [], zeroDenominators: 0};
    const arvs = concepts.map(({arv}) => arv);
    return {ownership: hardOwnership(sourceOwners(arvs, rho.rho), arvs.length), rho};
  },
};
