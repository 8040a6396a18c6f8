/**
 * Weight splits beside what others divide a channel by (see dictionaries.ts), on known networks: atoms go to the part that they feed most,
 * as sources do by the published rule; mean over channels with its 95 % interval. Usage: baselines.ts [KIND-SEED …]
 */
import {intervalText} from '../../src/common/numbers';
import {classActivations} from '../../src/known/activations';
import {knownNetwork, type KnownKind} from '../../src/known/networks';
import {keptPictures} from '../../src/known/images';
import {measuredAnswers, measuredMeanings} from '../../src/known/meanings';
import {CODES} from '../../src/known/parts';
import {meanInterval} from '../../src/numerics/summary';
import {
  autoencoded,
  classesOfParts,
  clustered,
  divided,
  factorized,
  NMF,
  outputOf,
  SAE,
  scored,
  type Dictionary,
} from './dictionaries';

const PER_CLASS = 24;

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const names = process.argv.length > 2 ? process.argv.slice(2) : ['position-plain-1', 'picture-plain-1'];
  say('| network | method | own against other, AUROC | correlation with the true part |\n| --- | --- | --- | --- |');
  const pictures = keptPictures();
  for (const name of names) {
    const at = name.lastIndexOf('-');
    const model = await knownNetwork(name.slice(0, at) as KnownKind, Number(name.slice(at + 1)));
    const [fit, held] = (['train', 'test'] as const).map((set) => classActivations(model, set, PER_CLASS, pictures));
    const codes = name.startsWith('none')
      ? measuredMeanings(measuredAnswers(model, held, PER_CLASS, pictures)).parts
      : CODES;
    model.dispose();
    const size = fit.channels.inputs;
    const identity = Float32Array.from({length: size * size}, (_, i) => Number(Math.floor(i / size) === i % size));
    const dictionaries: Record<string, Dictionary> = {
      'published, ρ = 1': {fit: fit.inputs, held: held.inputs, atoms: identity, count: size},
      [`NMF, ${NMF.atoms} atoms`]: factorized(fit.inputs, held.inputs, size),
      [`sparse autoencoder, ${SAE.atoms} atoms`]: autoencoded(fit.inputs, held.inputs, size),
    };
    const rows = new Map<string, {own: number[]; r: number[]}>();
    const add = (method: string, parts: readonly Float64Array[], channel: number) => {
      const row = rows.get(method) ?? {own: [], r: []};
      const {own, r} = scored(parts, channel, codes[channel]!, held);
      row.own.push(own);
      row.r.push(r);
      rows.set(method, row);
    };
    codes.forEach((code, channel) => {
      if (!code || code.length < 2 || classesOfParts(code).some((classes) => classes.length === 0)) return;
      add(
        'no split',
        code.map(() => outputOf(held, channel)),
        channel,
      );
      add('k-means (PURE)', clustered(fit, held, channel, code.length), channel);
      for (const [method, dictionary] of Object.entries(dictionaries))
        add(method, divided(dictionary, fit, channel, code), channel);
    });
    for (const [method, {own, r}] of rows) {
      say(`| ${name} | ${method} | ${intervalText(meanInterval(own))} | ${intervalText(meanInterval(r))} |`);
    }
  }
}

void main();
