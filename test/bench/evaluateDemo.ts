/**
 * What splitting the demo network achieves. Each polysemantic channel is split once between its two most different classes and once between
 * all concepts found in it. The splits whose own parts are furthest ahead of the other parts on the pictures that relevance was collected on
 * (`train`) are then measured on other pictures (`test`), beside random splits of the same sizes:
 *   node --import tsx test/bench/evaluateDemo.ts [--seed 0] [--model FOLDER] [--rule published] [--best 3] [--verbose]
 */
import {parseArgs} from 'node:util';
import {backend} from '../../src/engine';
import {findPolysemantic} from '../../src/concepts/find';
import {DEMO_CLASSES, DEMO_PRESET, demo, demoImages, type Demo} from '../../src/demo';
import {ablate, evaluateSplit, topImages, type SplitEvaluation} from '../../src/evaluate';
import {fractionText, intervalText} from '../../src/common/numbers';
import {textTable} from '../../src/common/textTable';
import {loadModel} from '../../src/formats/load';
import {makeModel} from '../../src/network/model';
import {collectRelevance} from '../../src/relevance/collect';
import {disentangle} from '../../src/split/disentangle';
import type {Split} from '../../src/split/types';

const {values: options} = parseArgs({
  options: {
    seed: {type: 'string', default: '0'},
    model: {type: 'string'},
    rule: {type: 'string', default: 'published'},
    best: {type: 'string', default: '3'},
    verbose: {type: 'boolean', default: false},
  },
});
const quiet = {progress: false as const};
const TAU = 2 / 16;
const CONTROLS = 100;

const say = (line: string) => process.stdout.write(`${line}\n`);

async function source(): Promise<Demo> {
  if (options.model === undefined) return demo({seed: Number(options.seed)});
  const {graph} = await loadModel(options.model);
  const model = makeModel(graph, {name: options.model, preset: DEMO_PRESET, classNames: DEMO_CLASSES});
  return {model, train: demoImages('train', 60), test: demoImages('test', 60)};
}

/** How far the own part is ahead of the strongest other part, for the concept where that is least. */
function contrast({concepts}: SplitEvaluation): number {
  return Math.min(
    ...concepts.map(({ratioOfSums: {parts}}, j) => parts[j] - Math.max(...parts.filter((_, l) => l !== j))),
  );
}

/** Three numbers in a cell are of the own part, the original and random splits; purity is the share of the concept's classes. */
const HEADS = [
  'concept',
  'own part ÷ original',
  'random (central 95 %)',
  'other parts',
  'AUROC',
  'removed: own (≥ 0.7)',
  'removed: other (≤ 0.3)',
  'random: own',
  'random: other',
  'top-20 purity: own part',
  'the original',
  'random (central 95 %)',
];

async function report(split: Split, test: Demo['test']): Promise<void> {
  const controls = {randomSplits: CONTROLS, ...quiet};
  const evaluation = await evaluateSplit(split, test, {tau: TAU, ...controls});
  const ablation = await ablate(split, test, {...controls, randomSplits: 20});
  const top = await topImages(split, test, controls);
  const rows = split.concepts.map(({classNames}, j) => {
    const {positive, auroc} = evaluation.concepts[j];
    const {own, other, random} = ablation.concepts[j];
    const list = top.lists[j + 1];
    const [fraction, control] = [positive.summary.parts[j], positive.random.parts[j]];
    return [
      classNames.join(' + '),
      intervalText(fraction) + (fraction.mean > control.interval[1] ? '' : ' NOT AHEAD'),
      intervalText(control),
      positive.parts
        .filter((_, l) => l !== j)
        .map(fractionText)
        .join(' '),
      [auroc.parts[j], auroc.original, auroc.random[j].mean].map(fractionText).join(' '),
      intervalText(own) + (own.mean >= 0.7 ? '' : ' BELOW 0.7'),
      intervalText(other) + (other.mean <= 0.3 ? '' : ' ABOVE 0.3'),
      intervalText(random.own),
      intervalText(random.other),
      fractionText(list.purity[j]),
      fractionText(top.lists[0].purity[j]),
      intervalText(list.random!),
    ];
  });
  textTable([HEADS, ...rows]).forEach(say);
  if (options.verbose) say([evaluation, ablation, top].map(String).join('\n\n'));
}

async function main(): Promise<void> {
  say(String(await backend()));
  const {model, train, test} = await source();
  const stats = await collectRelevance(model, train, {layer: 'conv5', ...quiet});
  const found = findPolysemantic(stats, {tau: TAU});
  say(`${found.length} polysemantic channels`);
  for (const whole of [false, true]) {
    const ranked: {split: Split; ahead: number}[] = [];
    for (const channel of found) {
      const concepts = whole ? channel.concepts : channel.pairs[0].classes;
      const about = {images: train, rule: options.rule ?? 'published', ...quiet};
      const split = await disentangle(model, stats, {channel: channel.channel, concepts}, about);
      const seen = await evaluateSplit(split, train, {tau: TAU, randomSplits: 0, ...quiet});
      ranked.push({split, ahead: contrast(seen)});
    }
    ranked.sort((a, b) => b.ahead - a.ahead);
    say(whole ? '\nall concepts found' : '\nthe two most different classes');
    for (const {split, ahead} of ranked.slice(0, Number(options.best))) {
      say(`channel ${split.channel}, ρ ${split.rho?.rho ?? '–'}, ahead by ${fractionText(ahead)} on train`);
      await report(split, test);
    }
  }
}

void main();
