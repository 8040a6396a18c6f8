// Trains the networks whose channels' meanings are known, on native TensorFlow, into data/known:
//   node scripts/known-train.mjs [--out data/known] [--seeds 0,1,2] [--kinds position-plain,position-sparse,…] [--force]
// The build must exist. A network that is there already is left alone without --force. Some three minutes each on two cores.
import {existsSync, mkdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {trainingBar} from './trainingBar.mjs';

const require = createRequire(import.meta.url);
const {trainKnown} = require('../dist/known/train.js');
const {saveKnownWeights} = require('../dist/known/weights.js');
const {KNOWN_KINDS} = require('../dist/known/networks.js');

const {values} = parseArgs({
  options: {
    out: {type: 'string', default: fileURLToPath(new URL('../data/known', import.meta.url))},
    seeds: {type: 'string', default: '0,1,2,3,4,5'},
    kinds: {type: 'string', default: KNOWN_KINDS.join(',')},
    force: {type: 'boolean', default: false},
  },
});

const stop = new globalThis.AbortController();
process.once('SIGINT', () => stop.abort());

try {
  mkdirSync(values.out, {recursive: true});
  for (const seed of values.seeds.split(',').map(Number)) {
    for (const kind of values.kinds.split(',')) {
      const file = path.join(values.out, `${kind}-${seed}.safetensors`);
      if (existsSync(file) && !values.force) continue;
      const [supervision, density] = kind.split('-');
      const about = {supervision, sparse: density === 'sparse', seed};
      const weights = await trainKnown({...about, progress: trainingBar(), signal: stop.signal});
      await saveKnownWeights(file, weights, {kind, seed: String(seed)});
      console.log(file);
    }
  }
} catch (error) {
  console.error(['InputError', 'InterruptError'].includes(error.name) ? error.message : error);
  process.exitCode = 1;
}
