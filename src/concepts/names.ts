import {InputError} from '../common/errors';
import type {RelevanceStatistics} from '../numerics/statistics';

/** Names that an error lists. */
const SHOWN = 6;

/** A name without case, and with its commas written alike. */
const plain = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replace(/\s*,\s*/g, ', ');

/**
 * The class of a name, exactly as the statistics have it, else whatever its case.
 * @throws InputError for a name that no class or several classes have; lists those that come near
 */
export function classIndex({classNames}: Pick<RelevanceStatistics, 'classNames'>, name: string): number {
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

/**
 * Classes of a list in words, `bird,9`: each an index or a name. A name may have commas of its own, as ImageNet's have: of the
 * words that follow each other as many are taken together as make a class's name.
 * @throws InputError for a word that is neither
 */
export function classesIn(stats: Pick<RelevanceStatistics, 'classNames'>, text: string): number[] {
  const names = new Set(stats.classNames.map(plain));
  const words = text.split(',');
  const found: number[] = [];
  for (let at = 0; at < words.length;) {
    let taken = words.length - at;
    while (taken > 1 && !names.has(plain(words.slice(at, at + taken).join(',')))) taken--;
    const word = words
      .slice(at, at + taken)
      .join(',')
      .trim();
    at += taken;
    found.push(/^\d+$/.test(word) ? Number(word) : classIndex(stats, word));
  }
  return found;
}
