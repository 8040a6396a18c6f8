import type {Command} from 'commander';
import {refuseForeignFile, refuseInput, replaceFile} from '../../files/output';
import {openImages} from '../../images';
import {PAGE_MARK} from '../../report/display';
import {resultPage} from '../../report/show';
import {disentangle} from '../../split/disentangle';
import {discoverConcepts, type DiscoveredConcepts} from '../../split/discover';
import {saveSplit} from '../../split/store';
import {
  openModel,
  presetOption,
  print,
  printNotes,
  wholeNumber,
  withDividingOptions,
  withJson,
  withSourceOptions,
  type SourceOptions,
} from '../common';

interface DiscoverFlags extends SourceOptions {
  layer: string;
  channel: number;
  count?: number;
  most: number;
  seed: number;
  page?: string;
  split?: string;
  rule?: string;
  force?: boolean;
}

/** `discover`: what a channel answers to, without labels; with --split, one channel per cluster. */
export function addDiscoverCommand(program: Command): void {
  const words = {channel: 'channel to look into', rule: 'default: as for split'};
  withJson(withDividingOptions(withSourceOptions(program.command('discover')), words))
    .description('what a channel responds to, without labels: clusters of what it reads where it fires most')
    .argument('<model>', 'ONNX, Keras or tfjs model, or PyTorch checkpoint')
    .argument('<images>', 'folder or tar archive of images, in any sub-folders; labels are not looked at')
    .requiredOption('--layer <name>', 'layer of interest; an early one will do')
    .option('--count <n>', 'number of clusters; by default that of 2 to 6 whose silhouette is highest', wholeNumber)
    .option('--most <n>', 'images that are clustered, at most', wholeNumber, 400)
    .option('--seed <n>', 'seed of the clusters’ starts', wholeNumber, 0)
    .option('--page <file>', 'write the clusters with their images to an HTML page')
    .option('--split <folder>', 'divide the channel by the clusters, and save the split there')
    .action(async (source: string, folder: string, flags: DiscoverFlags) => {
      const model = await openModel(source, flags);
      if (flags.page !== undefined) await refuseForeignFile(flags.page, PAGE_MARK);
      if (flags.split !== undefined) await refuseInput(flags.split, [source, folder]);
      const preset = await presetOption(flags.preset);
      const {extensions, root} = flags;
      const images = await openImages(folder, {unlabelled: true, preset, extensions, root});
      printNotes(images.notes);
      const {layer, channel, count, most, seed} = flags;
      const found = await discoverConcepts(model, images, channel, {layer, count, most, seed, preset});
      if (flags.page !== undefined) {
        const title = `What channel ${channel} of ${layer} responds to`;
        await replaceFile(
          flags.page,
          await resultPage(title, [{heading: `layer ${layer}`, content: [found], options: {images}}]),
        );
      }
      const split = flags.split === undefined ? undefined : await disentangle(model, found, {images, rule: flags.rule});
      if (split) await saveSplit(split, flags.split!, {force: flags.force});
      const told = [
        String(found),
        ...(flags.page === undefined ? [] : [`page in ${flags.page}`]),
        ...(split ? [String(split), `split model in ${flags.split}`] : []),
      ];
      print(flags.json ? plain(found) : told.join('\n'), flags.json);
    });
}

/** What the JSON says of the clusters. */
function plain({layer, channel, fires, of, concepts, silhouettes}: DiscoveredConcepts) {
  return {
    layer,
    channel,
    fires,
    of,
    silhouettes,
    concepts: concepts.map(({size, paths, exemplars, contribution}) => ({
      size,
      paths,
      exemplars,
      contribution: [...contribution],
    })),
  };
}
