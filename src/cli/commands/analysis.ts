import {Option, type Command} from 'commander';
import {channelDescriptions} from '../../report/descriptions';
import {cosineQuantiles, describeChannels, describePairs} from '../../concepts/describe';
import {polysemanticityByDepth} from '../../concepts/depth';
import {findPolysemantic} from '../../concepts/find';
import {suggestThresholds} from '../../concepts/thresholds';
import type {FindOptions, PolysemanticChannels} from '../../concepts/types';
import {refuseForeignFile, refuseInput, replaceFile} from '../../files/output';
import {PAGE_MARK} from '../../report/display';
import {explorePage} from '../../explore';
import {LARGEST_SIZE} from '../../split/rules/activity';
import {saveFigure} from '../../report/show';
import {loadLayers} from '../../relevance/layers';
import {loadStatistics} from '../../relevance/store';
import {textTable} from '../../common/textTable';
import {number, openImagesOption, openModel, print, withJson, withSourceOptions, type SourceOptions} from '../common';

/** `layers`, `find`: from a network and images to its polysemantic channels. */
export function addAnalysisCommands(program: Command): void {
  withJson(withSourceOptions(program.command('layers')))
    .description('list the layers that can be analysed, with their shapes')
    .argument('<model>', 'ONNX, Keras or tfjs model, or PyTorch checkpoint')
    .action(async (source: string, options: SourceOptions) => {
      const model = await openModel(source, options);
      const layers = model.layers();
      if (options.json)
        return print({model: model.name, inputShape: model.inputShape, classes: model.classes, layers}, true);
      const rows = layers.map(({name, kind, kernel: [kh, kw, inputs, outputs], output}) => [
        name,
        kind,
        `${kh}×${kw}`,
        `${inputs} → ${outputs}`,
        output.join('×'),
      ]);
      print(
        [String(model), ...textTable([['layer', 'kind', 'kernel', 'channels', 'output'], ...rows], () => false)].join(
          '\n',
        ),
        false,
      );
    });

  addDepth(program);
  withJson(program.command('find'))
    .description('polysemantic channels, the lowest cosine first')
    .argument('<statistics>', 'folder that unweave collect made')
    .option('--tau <share>', 'share of relevance from which a channel is important for an image', number, 0.03)
    .option('--p <fraction>', 'fraction of a class’s images for which a relevant channel is important', number, 0.75)
    .option('--gamma <cosine>', 'cosine below which two classes differ', number, 0.5)
    .option('--all-pairs', 'report every pair of relevant classes, whatever gamma')
    .addOption(
      new Option(
        '--arv <kind>',
        'what classes are compared by: the vectors where the channel fires (gated; the default where the statistics hold them) or the paper’s',
      ).choices(['gated', 'published']),
    )
    .option(
      '--suggest',
      'say which tau, p and gamma fit this network, with reasons and false calls, instead of searching',
    )
    .option(
      '--descriptions <file>',
      'what others say that channels stand for, shown beside the classes: CSV of layer,unit,description, as of CLIP-Dissect and MILAN',
    )
    .action(
      async (folder: string, options: FindOptions & {json?: boolean; descriptions?: string; suggest?: boolean}) => {
        if (options.suggest) {
          const {arv} = options;
          return print(suggestThresholds(await loadStatistics(folder), {arv}), options.json);
        }
        const said = options.descriptions === undefined ? undefined : channelDescriptions(options.descriptions);
        const found = findPolysemantic(await loadStatistics(folder), options);
        const described = (channel: number) => said?.of(found.layer, channel);
        if (!options.json) {
          const text = options.allPairs && found.length > 0 ? describePairs(found) : describeChannels(found, described);
          return print([text, ...nextCommand(found, folder)].join('\n'), false);
        }
        print(
          {
            layer: found.layer,
            thresholds: found.thresholds,
            candidates: found.candidates.map(({channel}) => channel),
            pairs: found.pairs,
            channels: found.map(({channel, classes, concepts, lowestCosine}) => ({
              channel,
              classes,
              concepts: concepts.map((concept) => concept.classes),
              lowestCosine,
              ...(said && {description: described(channel) ?? null}),
            })),
            // Of all pairs of relevant classes, to choose γ from.
            cosines: quantilesOf(found.cosines),
            warnings: found.warnings,
          },
          true,
        );
      },
    );
}

function addDepth(program: Command): void {
  withJson(program.command('depth'))
    .description('polysemantic channels of several layers, input to output')
    .argument('<folder>', 'folder that unweave collect made for several layers (one folder per layer), or for one')
    .option('--tau <share>', 'as for find; by default 2 / channels in each layer', number)
    .option('--p <fraction>', 'as for find', number, 0.75)
    .option('--gamma <cosine>', 'as for find', number, 0.5)
    .option('--plot <file>', 'save it: .svg, .png or .html')
    .action(async (folder: string, options: FindOptions & {plot?: string; json?: boolean}) => {
      const depth = polysemanticityByDepth(await loadLayers(folder), options);
      if (options.plot !== undefined) await saveFigure(depth, options.plot);
      print(options.json ? depth : String(depth), options.json);
    });
}

/** The keys of the command's JSON; null where there is no pair. */
function quantilesOf(cosines: Float64Array) {
  const found = cosines.length > 0 ? cosineQuantiles(cosines) : undefined;
  const {lowest = null, p05 = null, p25 = null, median = null} = found ?? {};
  return {pairs: cosines.length, lowest, '5 %': p05, '25 %': p25, median};
}

/** How to pull the first channel apart, by the rule that is ahead on the benchmarks among those that the layer is not too large for. */
function nextCommand({stats, 0: first}: PolysemanticChannels, statistics: string): string[] {
  if (!first) return [];
  const [kh, kw, inputs] = stats.layer.shape;
  const rule =
    kh * kw * inputs <= LARGEST_SIZE ? ' --rule freeRidge' : inputs <= LARGEST_SIZE ? ' --rule gatedWiener' : '';
  const classes = first.concepts.map((concept) => concept.classes.join(','));
  const concepts = first.concepts.every((concept) => concept.classes.length === 1)
    ? `--classes ${classes.join(',')}`
    : classes.map((list) => `--concept ${list}`).join(' ');
  const folder = /^[\w./-]+$/.test(statistics) ? statistics : `'${statistics.replaceAll("'", "'\\''")}'`;
  return [
    'to divide the first:',
    `  npx unweave split MODEL ${folder} --channel ${first.channel} ${concepts}${rule} --images IMAGES --out split`,
  ];
}

/** `explore`: the panel with sliders, as a page. */
export function addExploreCommand(program: Command): void {
  withJson(withSourceOptions(program.command('explore')))
    .description('a page with sliders for tau, p, gamma and rho that computes in the browser')
    .argument('<statistics>', 'folder that unweave collect made')
    .option('--images <folder>', 'the images that the statistics are of, for example pictures')
    .option('--out <file>', 'HTML file to write; it needs no other file and no network', 'explore.html')
    .option('--force', 'overwrite the file, whatever it holds')
    .action(async (folder: string, options: SourceOptions & {images?: string; out: string; force?: boolean}) => {
      await refuseInput(options.out, [folder, options.images]);
      await refuseForeignFile(options.out, PAGE_MARK, options.force);
      const stats = await loadStatistics(folder);
      const images =
        options.images === undefined ? undefined : await openImagesOption(options.images, options, stats.images);
      await replaceFile(options.out, await explorePage(stats, {images}));
      print(options.json ? {page: options.out} : `open ${options.out} in a browser`, options.json);
    });
}
