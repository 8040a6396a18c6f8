import {InputError} from '../common/errors';
import type {RelevanceStatistics} from '../numerics/statistics';

/** Names that an error lists. */
const SHOWN = 6;

/**
 * The class of a name, exactly as the statistics have it, else whatever its case.
 * @throws InputError for a name that no class or several classes have; lists those that come near
 */
export function classIndex({classNames}: Pick<RelevanceStatistics, 'classNames'>, name: string): number {
  const plain = (text: string) => text.trim().toLowerCase();
  const exact = [...classNames.keys()].filter((k) => classNames[k] === name);
  const found = exact.length > 0 ? exact : [...classNames.keys()].filter((k) => plain(classNames[k]) === plain(name));
  if (found.length === 1) return found[0];
  if (found.length > 1)
    throw new InputError(`"${name}" names ${found.length} classes (${found.join(', ')}); give the class's index`);
  const near = classNames.filter((one) => plain(one).includes(plain(name)));
  const shown = (near.length > 0 ? near : classNames).slice(0, SHOWN).map((one) => `"${one}"`);
  throw new InputError(
    `no class is called "${name}"; ${near.length > 0 ? 'classes with it in their names' : 'classes'}: ${shown.join(', ')}${(near.length || classNames.length) > SHOWN ? ', …' : ''}`,
  );
}
