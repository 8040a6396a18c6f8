import {InputError} from './errors';

/**
 * A class by its index or its name.
 * @param names names by class index; undefined where none are known
 * @param count number of classes
 * @throws InputError for a class that there is not, which says what there is
 */
export function classIndex(
  wanted: number | string,
  names: readonly string[] | undefined,
  count = names?.length ?? 0,
): number {
  if (typeof wanted === 'number') {
    if (Number.isInteger(wanted) && wanted >= 0 && wanted < count) return wanted;
    throw new InputError(`invalid class: ${wanted}; classes are 0 to ${count - 1}`);
  }
  const index = names?.indexOf(wanted) ?? -1;
  if (index >= 0) return index;
  const known = names
    ? `classes are ${names.slice(0, 30).join(', ')}${names.length > 30 ? ' …' : ''}`
    : `there are no class names; give an index from 0 to ${count - 1}`;
  throw new InputError(`no class "${wanted}"; ${known}`);
}
