import {printableLines} from '../../common/printable';
import {fractionText} from '../../common/numbers';
import path from 'node:path';
import type {Command} from 'commander';
import {backend} from '../../engine';
import {findPolysemantic} from '../../concepts/find';
import {demo, DEMO_EXAMPLE} from '../../demo';
import {evaluateSplit, topImages, type SplitEvaluation} from '../../evaluate';
import {collectRelevance} from '../../relevance/collect';
import {disentangle} from '../../split/disentangle';
import {saveSplit} from '../../split/store';
import {verifySplit} from '../../split/verify';
import {print, withJson} from '../common';
import {refuseForeignDemo, writeDemoPage} from '../demoPage';

/** `demo`: the main job on the network that comes with the package, and a page to look at. */
export function addDemoCommand(program: Command): void {
  withJson(program.command('demo'))
    .description(
      'the main job on the demo network: find polysemantic channels, pull one apart, prove that nothing changed, show it',
    )
    .option('--out <folder>', 'folder for the statistics, the split model and the page', path.join('out', 'demo'))
    .option('--force', 'write into the folder, whatever it holds')
    .action(async ({out, force, json}: {out: string; force?: boolean; json?: boolean}) => {
      await refuseForeignDemo(out, force);
      const say = (text: unknown) => json || process.stdout.write(`${printableLines(String(text))}\n\n`);
      say(await backend());
      const {model, train, test} = await demo();
      const stats = await collectRelevance(model, train, {
        layer: DEMO_EXAMPLE.layer,
        out: path.join(out, 'statistics'),
        force,
      });
      say(stats);
      const found = findPolysemantic(stats, {tau: 2 / 16});
      say(found);
      const concepts = DEMO_EXAMPLE.classes.map((name) => [stats.classNames.indexOf(name)]);
      const split = await disentangle(model, stats, {channel: DEMO_EXAMPLE.channel, concepts}, {images: train});
      say(split);
      const proof = await verifySplit(split, test);
      say(proof);
      const evaluation = await evaluateSplit(split, test, {tau: 2 / 16});
      say(fractionLines(evaluation));
      const top = await topImages(split, test, {count: 20});
      say(top);
      await saveSplit(split, path.join(out, 'split'), {force});
      const page = await writeDemoPage(out, {stats, found, split, proof, evaluation, top, test});
      const summary = {
        page,
        model: path.join(out, 'split'),
        statistics: path.join(out, 'statistics'),
        proof,
        evaluation,
      };
      print(json ? summary : `the pictures: ${page}\nthe split model: ${summary.model}`, json);
      if (!proof.exact) process.exitCode = 1;
    });
}

/** The ratio of sums alone, beside the random splits; the page has all definitions with their intervals. */
function fractionLines({concepts}: SplitEvaluation): string {
  const shares = (summaries: {mean: number}[]) => summaries.map(({mean}) => fractionText(mean)).join('  ');
  return [
    'what each part carries of the original, on held-out pictures (random splits of the same sizes behind)',
    ...concepts.map(
      ({classNames, ratioOfSums: {summary, random}}) =>
        `  ${classNames.join(' + ').padEnd(12)} ${shares(summary.parts)}   (${shares(random.parts)})`,
    ),
  ].join('\n');
}
