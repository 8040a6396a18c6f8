import {readFileSync} from 'node:fs';
import path from 'node:path';

let known: string | undefined;

/** This package's version, e.g. `0.2.0`. */
export function packageVersion(): string {
  const read = () => JSON.parse(readFileSync(path.join(__dirname, '../../package.json'), 'utf8')) as {version: string};
  return (known ??= read().version);
}
