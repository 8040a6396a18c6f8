/**
 * How long a feature visualisation takes: MobileNet v1 0.75 of ../shared/data, a class logit, native or WebAssembly.
 *   [UNWEAVE_BACKEND=wasm] node --import tsx test/bench/featureSpeed.ts [--steps 256] [--sizes 128,224]
 */
import path from 'node:path';
import {parseArgs} from 'node:util';
import {backend} from '../../src/backend';
import {channel, logit, visualizeFeature} from '../../src/features';
import {loadModel} from '../../src/models/load';

const {values: options} = parseArgs({
  options: {steps: {type: 'string', default: '256'}, sizes: {type: 'string', default: '128,224'}},
});
const folder = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');
const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  say(String(await backend()));
  const model = await loadModel(path.join(folder, 'models/mobilenet_v1_0.75_224'));
  const steps = Number(options.steps);
  for (const size of options.sizes.split(',').map(Number)) {
    for (const objective of [logit(207), channel('conv_pw_13', 3), channel('conv_pw_6', 3)]) {
      await visualizeFeature(model, objective, {size, steps: 2, progress: false});
      const cpu = process.cpuUsage();
      const {text, seconds} = await visualizeFeature(model, objective, {size, steps, progress: false});
      const {user, system} = process.cpuUsage(cpu);
      const busy = (user + system) / 1e6;
      say(
        `${size}², ${text}: ${steps} steps in ${seconds.toFixed(1)} s, ${((1000 * seconds) / steps).toFixed(0)} ms a step ` +
          `(${((1000 * busy) / steps).toFixed(0)} ms of processor time)`,
      );
    }
  }
}

void main();
