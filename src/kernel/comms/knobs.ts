import {InputError} from '../../common/errors';

/** A control on the page and the value that it stands at. */
export interface Knob<V> {
  /** Jupyter's name of the widget. */
  readonly widget: 'FloatSlider' | 'Dropdown' | 'Checkbox';
  /** The widget's state at the start, without its label. */
  readonly state: Readonly<Record<string, unknown>>;
  /** The knob's value in a state. */
  read(state: Readonly<Record<string, unknown>>): V;
}

/**
 * A slider from `min` to `max`.
 * @param step @default a hundredth of the way
 * @param value where it stands first. @default the middle, on a step
 * @throws InputError where max is not above min, or value is not between them
 */
export function slider(
  min: number,
  max: number,
  {step = (max - min) / 100, value}: {step?: number; value?: number} = {},
): Knob<number> {
  if (!(Number.isFinite(min) && Number.isFinite(max) && min < max)) {
    throw new InputError(`invalid slider from ${min} to ${max}; the first number must be below the second`);
  }
  if (!(step > 0)) throw new InputError(`invalid step: ${step}; a slider's step is above 0`);
  /** On a step, without what adding steps up leaves behind: 0.15, not 0.15000000000000002. */
  const onStep = (at: number) => {
    const near = min + Math.round((at - min) / step) * step;
    return Math.abs(near - at) < 1e-9 * (max - min) ? Number(near.toPrecision(12)) : at;
  };
  const start = value ?? min + Math.round((max - min) / 2 / step) * step;
  if (!(start >= min && start <= max)) {
    throw new InputError(`invalid value: ${start}; the slider goes from ${min} to ${max}`);
  }
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step))));
  const readout_format = Number.isInteger(step) && Number.isInteger(min) ? '.0f' : `.${digits}f`;
  return {
    widget: 'FloatSlider',
    state: {min, max, step, value: onStep(start), readout_format, readout: true, continuous_update: true},
    read: (state) => onStep(Number(state.value)),
  };
}

/**
 * A list of names to choose from.
 * @param value the one that is chosen first. @default the first
 * @throws InputError for an empty list, or a value that is not in it
 */
export function choice<const T extends string>(options: readonly T[], {value = options[0]}: {value?: T} = {}): Knob<T> {
  if (options.length === 0) throw new InputError('a choice needs at least one option');
  const index = options.indexOf(value);
  if (index < 0) throw new InputError(`invalid value: "${value}"; the options are: ${options.join(', ')}`);
  return {
    widget: 'Dropdown',
    state: {_options_labels: [...options], index},
    read: (state) => options[Number(state.index)],
  };
}

/** A box to tick. @param value @default false */
export function toggle(value = false): Knob<boolean> {
  return {widget: 'Checkbox', state: {value, indent: true}, read: (state) => Boolean(state.value)};
}
