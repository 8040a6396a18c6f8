import {endingOf} from './fileNames';

/**
 * Finding the images that a label file's words stand for: relative, absolute, parents' and Windows paths, names without their
 * ending or in another case, composed or decomposed Unicode.
 */

/** How well a word fits an image: the fewer the better; 0 is the image's own path. */
export interface ImageMatch {
  image: number;
  distance: number;
}

export interface LabelKeys {
  /** The image that a word names; undefined where there is none, or several fit equally well. */
  imageOf(word: string): ImageMatch | undefined;
  /** The class folder that a word names. */
  folderOf(word: string): string | undefined;
}

/** A path as it is compared: `/` as separator, composed, without `./` before and `/` behind. */
function comparable(path: string): string {
  return path
    .replaceAll('\\', '/')
    .replace(/^(\.\/)+/, '')
    .replace(/\/+$/, '')
    .normalize('NFC');
}

/** Endings that may be left off or be another's: those of pictures. */
const PICTURE = /^(jpe?g|jpe|jfif|jif|png|webp|gif|tiff?|bmp|avif|hei[cf]|ppm|pgm)$/;

function bare(path: string): string {
  const ending = endingOf(path);
  return PICTURE.test(ending) ? path.slice(0, -ending.length - 1) : path;
}

/** Whether `end` is `path` or the last parts of it. */
function endsWithPath(path: string, end: string): boolean {
  return path.endsWith(end) && (path.length === end.length || path[path.length - end.length - 1] === '/');
}

/**
 * @param paths relative paths of the images
 * @param root absolute path of the folder that they are relative to, '' where there is none
 */
export function labelKeys(paths: readonly string[], root: string): LabelKeys {
  const own = paths.map(comparable);
  const exact = new Map(own.map((path, image) => [path, image]));
  const byName = new Map<string, number[]>();
  own.forEach((path, image) => {
    const key = nameKey(path);
    const others = byName.get(key);
    if (others) others.push(image);
    else byName.set(key, [image]);
  });
  const parents = own.map(parentKey);
  const folders = new Map<string, string>();
  for (const path of paths) {
    const [folder] = path.split('/');
    if (!path.includes('/') || folders.has(folder)) continue;
    folders.set(folder, folder);
  }
  const foldersBare = new Map([...folders.keys()].map((folder) => [comparable(folder).toLowerCase(), folder]));
  const top = root === '' ? '' : `${comparable(root)}/`;

  const distanceOf = (word: string, path: string): number | undefined => {
    const forms: ((text: string) => string)[] = [(t) => t, bare, (t) => t.toLowerCase(), (t) => bare(t.toLowerCase())];
    for (const [at, form] of forms.entries()) {
      const [key, mine, whole] = [form(word), form(path), form(top + path)];
      if (key === mine) return 10 * at;
      if (endsWithPath(whole, key) && key.length > mine.length) return 10 * at + 1;
      if (endsWithPath(mine, key)) return 10 * at + 2;
      if (endsWithPath(key, mine)) return 10 * at + 3;
    }
    return undefined;
  };

  return {
    imageOf(given) {
      const word = comparable(given);
      const same = exact.get(word);
      if (same !== undefined) return {image: same, distance: 0};
      let best: ImageMatch | undefined;
      let ties = 0;
      const parent = parentKey(word);
      for (const image of byName.get(nameKey(word)) ?? []) {
        // Many folders may have files of one name.
        if (parent !== '' && parents[image] !== '' && parent !== parents[image]) continue;
        const distance = distanceOf(word, own[image]);
        if (distance === undefined || (best && distance > best.distance)) continue;
        ties = best?.distance === distance ? ties + 1 : 0;
        best = {image, distance};
      }
      return ties > 0 ? undefined : best;
    },
    folderOf(given) {
      const word = comparable(given);
      return folders.get(given) ?? folders.get(word) ?? foldersBare.get(word.toLowerCase());
    },
  };
}

/** What all forms of one file's name share. */
function nameKey(path: string): string {
  return bare(path.slice(path.lastIndexOf('/') + 1).toLowerCase());
}

function parentKey(path: string): string {
  return path.split('/').at(-2)?.toLowerCase() ?? '';
}
