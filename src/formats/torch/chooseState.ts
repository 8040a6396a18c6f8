/** Which of a checkpoint's state dicts is read, and as which architecture. */
import {InputError} from '../../common/errors';
import {NAMESAKES} from '../../common/namesakes';
import {option} from '../../common/options';
import {printableName} from '../../common/printable';
import {ARCHITECTURES, type Architecture} from '../architectures';
import {fitsIn, isInside, misfits, type Fit} from './fit';
import type {Checkpoint} from './readCheckpoint';

/** A running average of the weights, beside the weights themselves. */
const AVERAGE = /(^|[._])(ema|swa|avg|averaged?|shadow|teacher|momentum|target)([._]|$)/i;

/** How a state dict is called in notes and by the option `state`. */
export function stateName({state, prefix}: Pick<Fit, 'state' | 'prefix'>): string {
  return [state.path, prefix.replace(/[./:]$/, '')].filter(Boolean).join('.') || '(the whole file)';
}

/**
 * The one architecture whose every weight exists.
 * @throws InputError where none or several fit, with their names
 */
export function inferArchitecture({name, states, arch}: Checkpoint): Architecture {
  const fitting = ARCHITECTURES.filter((architecture) => states.some((state) => hasFit(architecture, state)));
  const recorded = fitting.find((architecture) => architecture.name === arch);
  if (recorded && !NAMESAKES[recorded.name]?.includes(arch ?? '')) return recorded;
  if (fitting.length === 1) {
    const [only] = fitting;
    if (arch !== undefined && NAMESAKES[only.name]?.includes(arch)) {
      throw new InputError(
        `${name} says that it is a ${printableName(arch)}, which has the names and shapes of ${only.name} but computes something else; export it as ONNX`,
      );
    }
    return only;
  }
  const known = ARCHITECTURES.map((architecture) => architecture.name).join(', ');
  throw new InputError(
    fitting.length > 1
      ? `${name} fits ${fitting.map((architecture) => architecture.name).join(' and ')}, which have the same names and shapes; give ${option('arch')}`
      : `${name} fits none of the known architectures (${known})${nearestWords(states)}; give ${option('arch')} to see what does not fit, or export the network as ONNX`,
  );
}

const hasFit = (architecture: Architecture, state: Checkpoint['states'][number]): boolean =>
  fitsIn(architecture, state).some((fit) => misfits(fit) === 0);

function nearestWords(states: Checkpoint['states']): string {
  const fits = ARCHITECTURES.flatMap((architecture) => states.map((state) => fitsIn(architecture, state)[0]));
  const nearest = fits.reduce((best, fit) => (misfits(fit) < misfits(best) ? fit : best));
  return nearest.weights.size === 0
    ? ''
    : `, the nearest is ${nearest.architecture.name}, where ${misfits(nearest)} weights do not fit`;
}

/**
 * The state dicts that an architecture fits, best first: weights before their averages.
 * @param state the name of the one to take, where it was asked for
 * @throws InputError where none fits, where several do and none is the obvious one, or where the one asked for is not among them
 */
export async function chooseFit(
  checkpoint: Checkpoint,
  architecture: Architecture,
  state: string | undefined,
): Promise<{fit: Fit; others: Fit[]}> {
  const {name, states, arch: recorded} = checkpoint;
  const all = states.flatMap((candidate) => fitsIn(architecture, candidate));
  const fitting = distinct(all.filter((fit) => misfits(fit) === 0));
  if (fitting.length === 0) throw new InputError(misfitWords(name, architecture, all, states, recorded));
  const called = fitting.map(stateName);
  if (state !== undefined) {
    const at = fitting.findIndex((fit, i) => called[i] === state || fit.state.path === state);
    if (at < 0) {
      throw new InputError(
        `no state dict "${state}" in ${name} that fits ${architecture.name}; ${called.map((one) => printableName(one)).join(', ')} ${called.length === 1 ? 'does' : 'do'}`,
      );
    }
    return {fit: fitting[at], others: []};
  }
  const plain = fitting.filter((_, i) => !AVERAGE.test(called[i]));
  const first = plain.length > 0 ? plain : fitting;
  if (first.length > 1 && !(await allEqual(checkpoint, first))) {
    throw new InputError(
      `${name} holds ${first.length} state dicts that fit ${architecture.name}: ${first.map((fit) => printableName(stateName(fit))).join(', ')}; choose one with ${option('state')}`,
    );
  }
  return {fit: first[0], others: fitting.filter((fit) => fit !== first[0])};
}

/** Whether copies of a network hold the same numbers, as a wrapper that attacks or averages one may save them. */
async function allEqual(checkpoint: Checkpoint, fits: readonly Fit[]): Promise<boolean> {
  const [first, ...others] = await Promise.all(
    fits.map(async ({weights}) => {
      const tensors = [...weights].map(([key, {tensor}]) => [key, tensor] as const);
      return checkpoint.load(await checkpoint.place(new Map(tensors)));
    }),
  );
  return others.every((other) =>
    [...first].every(([key, {data}]) => other.get(key)?.data.every((value, i) => value === data[i])),
  );
}

/** Of fits that read the same numbers only that of the shortest name. */
function distinct(fits: readonly Fit[]): Fit[] {
  const byPlace = new Map<string, Fit>();
  for (const fit of [...fits].sort((a, b) => stateName(a).length - stateName(b).length)) {
    const places = [...fit.weights.values()].map(({tensor}, i) =>
      tensor.kind === 'tensor' ? `${tensor.storage.key}+${tensor.offset}` : `${stateName(fit)} ${i}`,
    );
    const key = places.join(' ');
    if (!byPlace.has(key)) byPlace.set(key, fit);
  }
  return fits.filter((fit) => [...byPlace.values()].includes(fit));
}

/** Weights that are there by name, whatever their shapes. */
const named = ({weights, reshaped}: Fit): number => weights.size + reshaped.length;

/** What is wrong with the nearest dict, and which architecture would fit. */
function misfitWords(
  name: string,
  architecture: Architecture,
  fits: readonly Fit[],
  states: Checkpoint['states'],
  recorded: string | undefined,
): string {
  const whole = fits.filter((fit) => !isInside(fit));
  // The most names in common: without any, nothing would be left over either.
  const [nearest] = [...(whole.length > 0 ? whole : fits)].sort(
    (one, other) => named(other) - named(one) || misfits(one) - misfits(other),
  );
  const {missing, reshaped, foreign, state} = nearest;
  const total = missing.length + reshaped.length + nearest.weights.size;
  const unread = missing.find((key) => state.unread.has(nearest.prefix + key));
  const parts = [
    missing.length > 0 ? `${missing.length} of ${total} ${are(missing)} missing (${firstOf(missing)})` : '',
    foreign.length > 0 ? `${foreign.length} ${are(foreign)} left over (${firstOf(foreign)})` : '',
    reshaped.length > 0
      ? `${reshaped.length} ${reshaped.length === 1 ? 'has' : 'have'} another shape (${firstOf(reshaped)})`
      : '',
    unread !== undefined
      ? `${unread} is a ${printableName(state.unread.get(nearest.prefix + unread))}, which is not read`
      : '',
  ];
  const fitting = ARCHITECTURES.filter((other) => states.some((candidate) => hasFit(other, candidate)));
  const advice =
    fitting.length > 0
      ? `They fit ${fitting.map((other) => other.name).join(' or ')}: give that as ${option('arch')}`
      : `Known architectures are ${ARCHITECTURES.map((other) => other.name).join(', ')}; export any other network as ONNX`;
  const said =
    recorded !== undefined && recorded !== architecture.name ? ` (the file says ${printableName(recorded)})` : '';
  return `the weights of ${name} do not fit ${architecture.name}${said}: ${parts.filter(Boolean).join('; ')}. ${advice}`;
}

function are({length}: readonly string[]): string {
  return length === 1 ? 'is' : 'are';
}

/** The first ten names, and how many more there are. */
export function firstOf(names: readonly string[]): string {
  const more = names.length - 10;
  return (
    names
      .slice(0, 10)
      .map((name) => printableName(name))
      .join(', ') + (more > 0 ? ` and ${more} more` : '')
  );
}
