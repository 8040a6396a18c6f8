import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import type {Library} from '../report/display';

/** Made by the build, beside the compiled package; found from the sources too. */
const FILE = path.join(__dirname, '../../dist/explore/page.js');

/** The panel's own script. Its name holds its hash: a notebook that carries an older one gets this one as well. */
export function pageScript(): Library {
  if (!existsSync(FILE)) throw new Error(`${FILE} is absent: the package is not built completely; run its build`);
  const code = readFileSync(FILE, 'utf8');
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 8);
  return {name: `unweave-explore-${hash}`, code: () => code};
}
