import {InputError} from '../../common/errors';
import {shown} from './topology';

/** Belong to training, to building or to bookkeeping, by the ends of their names or because every layer has them. */
const TRAINING_ENDS = /_(initializer|regularizer|constraint)$/;
const OF_EVERY_LAYER = new Set([
  'name',
  'trainable',
  'dtype',
  'dtype_policy',
  'input_dtype',
  'autocast',
  'seed',
  'batch_input_shape',
  'batch_shape',
  'batch_size',
  'input_shape',
  'input_dim',
  'build_config',
  'quantization_config',
  'init',
]);

export const isTrainingArgument = (key: string) => TRAINING_ENDS.test(key) || OF_EVERY_LAYER.has(key);

/** A layer's configuration, read field by field; what nobody asked for and is not of training is an error in the end. */
export class LayerArguments {
  private readonly asked = new Set<string>();

  constructor(
    /** What the layer is called in messages. */
    readonly owner: string,
    private readonly config: Readonly<Record<string, unknown>>,
  ) {}

  has(key: string): boolean {
    return Object.hasOwn(this.config, key) && this.config[key] !== null;
  }

  raw(key: string): unknown {
    this.asked.add(key);
    return this.config[key];
  }

  /** Marks arguments that say nothing about the computation, or say again what the weights say. */
  ignore(...keys: string[]): void {
    for (const key of keys) this.asked.add(key);
  }

  private checked<T>(key: string, fallback: T | undefined, test: (value: unknown) => boolean, wanted: string): T {
    const value = this.raw(key);
    if ((value === undefined || value === null) && fallback !== undefined) return fallback;
    if (!test(value)) throw this.invalid(key, value, wanted);
    return value as T;
  }

  invalid(key: string, value: unknown, wanted: string): InputError {
    return new InputError(`${this.owner} has ${key} ${shown(value)}; ${wanted}`);
  }

  number(key: string, fallback?: number): number {
    return this.checked(key, fallback, Number.isFinite, 'it must be a number');
  }

  whole(key: string, least: number, fallback?: number): number {
    const test = (value: unknown) => isWhole(value, least);
    return this.checked(key, fallback, test, `it must be a whole number from ${least}`);
  }

  flag(key: string, fallback: boolean): boolean {
    return this.checked(key, fallback, (value) => typeof value === 'boolean', 'it must be true or false');
  }

  text(key: string, fallback: string): string {
    return this.checked(key, fallback, (value) => typeof value === 'string', 'it must be text');
  }

  /** [height, width] of whole numbers from `least`; one number counts for both. */
  pair(key: string, least: number, fallback?: [number, number]): [number, number] {
    const value = this.raw(key);
    if ((value === undefined || value === null) && fallback) return fallback;
    if (isWhole(value, least)) return [value, value];
    if (Array.isArray(value) && value.length === 2 && value.every((size) => isWhole(size, least))) {
      return [value[0], value[1]];
    }
    throw this.invalid(key, value, `it must be two whole numbers from ${least}`);
  }

  /** [[top, bottom], [left, right]] of pixels. */
  margins(key: string): [[number, number], [number, number]] {
    const value = this.raw(key);
    const side = (item: unknown): [number, number] | undefined =>
      isWhole(item, 0)
        ? [item, item]
        : Array.isArray(item) && item.length === 2 && item.every((size) => isWhole(size, 0))
          ? [item[0], item[1]]
          : undefined;
    const sides = Array.isArray(value) && value.length === 2 ? value.map(side) : [side(value), side(value)];
    const [rows, columns] = sides;
    if (!rows || !columns || (!Array.isArray(value) && !isWhole(value, 0))) {
      throw this.invalid(key, value, 'it must be [[top, bottom], [left, right]]');
    }
    return [rows, columns];
  }

  /** A list of numbers, or one number as a list of one. */
  numbers(key: string, fallback?: number[]): number[] {
    const value = this.raw(key);
    if ((value === undefined || value === null) && fallback) return fallback;
    const flat = Array.isArray(value) ? value.flat(8) : [value];
    if (flat.length === 0 || !flat.every(Number.isFinite)) throw this.invalid(key, value, 'it must be numbers');
    return flat as number[];
  }

  /** Refuses any value but those that mean the usual computation. */
  only(key: string, usual: readonly unknown[], advice: string): void {
    const value = this.raw(key);
    if (value === undefined || value === null || usual.includes(value)) return;
    throw this.invalid(key, value, advice);
  }

  /** Layers that read channels first are refused by name: the graph's channels are last. */
  channelsLast(): void {
    const usual = ['channels_last', 'channelsLast', 'tf'];
    this.only(
      'data_format',
      usual,
      'only channels_last is read; build the model with channels last, or export it as ONNX',
    );
    this.only('dim_ordering', usual, 'only channels last ("tf") is read; export the model as ONNX');
  }

  /** @throws InputError that names each argument that nobody knows */
  finish(): void {
    const unknown = Object.keys(this.config).filter((key) => {
      const value = this.config[key];
      return !this.asked.has(key) && !isTrainingArgument(key) && value !== null && value !== undefined;
    });
    if (unknown.length === 0) return;
    const list = unknown.map((key) => `${key.slice(0, 60)} (${shown(this.config[key])})`).join(', ');
    throw new InputError(
      `${this.owner} has arguments that may change what it computes and are not known: ${list}; rebuild the layer without them, or export the model as ONNX`,
    );
  }
}

export const isWhole = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;

/** tfjs's spelling of a word in Python's: `hardSigmoid` → `hard_sigmoid`. */
export const toSnakeCase = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
