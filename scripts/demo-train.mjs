// Trains the demo networks that the package ships, on native TensorFlow, and notes the checksums of their files:
//   node scripts/demo-train.mjs [--out data/demo] [--seeds 0,1]
// The build must exist. Two to four minutes a network on two cores.
import {createHash} from 'node:crypto';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {trainingBar} from './trainingBar.mjs';

const require = createRequire(import.meta.url);
const {trainDemo} = require('../dist/demo/train.js');
const {saveModel} = require('../dist/formats/save.js');

const {values} = parseArgs({
  options: {
    out: {type: 'string', default: fileURLToPath(new URL('../data/demo', import.meta.url))},
    seeds: {type: 'string', default: '0,1'},
  },
});

const stop = new globalThis.AbortController();
process.once('SIGINT', () => stop.abort());

const lines = [];
try {
  for (const seed of values.seeds.split(',').map(Number)) {
    const model = await trainDemo({seed, progress: trainingBar(), signal: stop.signal});
    const folder = path.join(values.out, `seed${seed}`);
    // A model that is replaced leaves its name to no other.
    rmSync(folder, {recursive: true, force: true});
    await saveModel(model, folder);
    for (const file of ['model.json', 'weights.bin']) {
      const hash = createHash('sha256')
        .update(readFileSync(path.join(folder, file)))
        .digest('hex');
      lines.push(`${hash}  seed${seed}/${file}\n`);
    }
    console.log(`${folder}: ${model}`);
    model.dispose();
  }
  writeFileSync(path.join(values.out, 'SHA256SUMS'), lines.join(''));
} catch (error) {
  console.error(['InputError', 'InterruptError'].includes(error.name) ? error.message : error);
  process.exitCode = 1;
}
