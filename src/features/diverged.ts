import {InputError} from '../common/errors';
import type {FeatureVisualization} from './types';

/** The objective or its gradient became infinite or no number. */
export class DivergedError extends InputError {
  /** @param best the best image before that, where there was one */
  constructor(
    message: string,
    readonly step: number,
    readonly best: FeatureVisualization | undefined,
  ) {
    super(message);
  }
}
