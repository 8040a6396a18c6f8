import {InputError} from '../../common/errors';
import {option} from '../../common/options';
import type {Attribution} from '../types';
import {actGrad} from './actGrad';
import {gradCam} from './gradCam';
import {integratedGradients} from './integratedGradients';
import {smoothGrad} from './smoothGrad';

/** Attributions by their short names, each with its defaults; parameters are named as the functions name them. */
export const ATTRIBUTIONS: Readonly<Record<string, (parameters: Record<string, number>) => Attribution>> = {
  actGrad: () => actGrad,
  integratedGradients: (parameters) => integratedGradients(parameters),
  smoothGrad: (parameters) => smoothGrad(parameters),
  gradCam: () => gradCam,
};

/**
 * An attribution as a command names it: `integratedGradients` or, with parameters, `integratedGradients:steps=64`.
 * @throws InputError that lists the names
 */
export function attributionNamed(text: string): Attribution {
  const [name, list = ''] = text.split(':');
  if (!Object.hasOwn(ATTRIBUTIONS, name)) {
    throw new InputError(
      `invalid ${option('attribution')}: ${text}; give one of ${Object.keys(ATTRIBUTIONS).join(', ')}, with parameters as in integratedGradients:steps=64`,
    );
  }
  const pairs = list.split(',').filter((pair) => pair !== '');
  return ATTRIBUTIONS[name](Object.fromEntries(pairs.map((pair) => [pair.split('=')[0], Number(pair.split('=')[1])])));
}
