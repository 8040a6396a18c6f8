import {InputError} from './errors';

/**
 * Refuses what a call cannot have meant: a promise that nobody awaited, a path instead of what it leads to, nothing at all.
 * @param what what the argument is, e.g. `model`
 * @param property a field that every such value has
 * @param make how to get one, e.g. `loadModel(…)`
 */
export function checkArgument(what: string, value: unknown, property: string, make: string): void {
  const object = typeof value === 'object' && value !== null;
  if (object && property in value) return;
  const given =
    value === undefined || value === null
      ? 'missing'
      : isPromise(value)
        ? 'a promise'
        : typeof value === 'string'
          ? `the text "${value}"`
          : 'something else';
  throw new InputError(`${what}: ${given}; write await ${make}`);
}

/** What an asynchronous call gives before it is awaited. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** @throws InputError for a promise where a result is wanted */
export function refusePromise(call: string, value: unknown): void {
  if (isPromise(value)) {
    throw new InputError(`${call} was given a promise, whose result is not there yet; write ${call}(await …)`);
  }
}
