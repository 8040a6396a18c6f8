import {InputError} from '../../common/errors';
import {option} from '../../common/options';
import type {Attribution} from '../types';
import {actGrad} from './actGrad';
import {gradCam} from './gradCam';
import {integratedGradients} from './integratedGradients';
import {lrp, type LrpOptions} from './lrp';
import {smoothGrad} from './smoothGrad';

interface Named {
  /** Parameters, as the function names them: numbers, but for `rule`. */
  parameters: readonly string[];
  make(given: Record<string, number>, rule: string | undefined): Attribution;
}

const NAMED: Readonly<Record<string, Named>> = {
  actGrad: {parameters: [], make: () => actGrad},
  integratedGradients: {parameters: ['steps'], make: (given) => integratedGradients(given)},
  smoothGrad: {parameters: ['n', 'sigma', 'seed'], make: (given) => smoothGrad(given)},
  gradCam: {parameters: [], make: () => gradCam},
  lrp: {
    parameters: ['rule', 'epsilon', 'gamma'],
    make: ({epsilon, gamma}, rule) => lrp({epsilon, gamma, rule: rule as LrpOptions['rule']}),
  },
};

/** Short names of attributions. */
export const ATTRIBUTIONS: readonly string[] = Object.keys(NAMED);

/** A line for each attribution: its parameters and what it costs. */
export function describeAttributions(): string {
  const lines = Object.entries(NAMED).map(([name, {parameters, make}]) => {
    const list = parameters.length > 0 ? ` (${parameters.join(', ')})` : '';
    return `  ${name}${list}: ${make({}, undefined).cost}`;
  });
  return ['Attributions, with their parameters and what they cost:', ...lines].join('\n');
}

/**
 * An attribution as a command names it: `integratedGradients` or, with parameters, `integratedGradients:steps=64`.
 * @throws InputError that lists the names, or the parameters
 */
export function attributionNamed(text: string): Attribution {
  const [name, list = ''] = text.split(':');
  if (!Object.hasOwn(NAMED, name)) {
    throw new InputError(
      `invalid ${option('attribution')}: ${text}; give one of ${ATTRIBUTIONS.join(', ')}, with parameters as in integratedGradients:steps=64`,
    );
  }
  const {parameters, make} = NAMED[name];
  const given = list
    .split(',')
    .filter((pair) => pair !== '')
    .map((pair) => pair.split('='));
  const unknown = given.find(([parameter]) => !parameters.includes(parameter));
  if (unknown) {
    throw new InputError(
      `${name} has no parameter ${unknown[0]}; ${parameters.length > 0 ? `its parameters are ${parameters.join(', ')}` : 'it has none'}`,
    );
  }
  const numbers = given.filter(([parameter]) => parameter !== 'rule').map(([key, value]) => [key, Number(value)]);
  return make(
    Object.fromEntries(numbers) as Record<string, number>,
    given.find(([parameter]) => parameter === 'rule')?.[1],
  );
}
