import {setTimeout as wait} from 'node:timers/promises';
import type {Command} from 'commander';
import {InvalidArgumentError, Option} from 'commander';
import {kubernetesJobs} from '../../cluster/kubernetes';
import {arrayScript, mergeScript} from '../../cluster/slurm';
import {submitCollect} from '../../cluster/submit';
import {InputError} from '../../common/errors';
import {topOne, zeroInputShare, type RelevanceStatistics} from '../../numerics/statistics';
import {passProfile, type PassProfile} from '../../pass/profile';
import {ATTRIBUTIONS, attributionNamed, describeAttributions} from '../../pass/attribution/named';
import {collectRelevance} from '../../relevance/collect';
import {collectLayers} from '../../relevance/layers';
import type {CollectOptions} from '../../relevance/options';
import {mergeShards, shardFolder} from '../../relevance/shards';
import {saveStatistics} from '../../relevance/store';
import {
  isPredicted,
  imageCount,
  number,
  openImagesOption,
  openModel,
  presetOption,
  print,
  wholeNumber,
  withJson,
  withSourceOptions,
  type SourceOptions,
} from '../common';

const IMAGES =
  'folder with one sub-folder per class, flat folder with --labels, list file (path and label per line), tar archive or folder of them, or CIFAR-10 binary batches (of a folder the training batches, else test_batch.bin; or one file)';

interface CollectFlags extends SourceOptions {
  layer: string[];
  out: string;
  force?: boolean;
  batch: number | 'auto';
  limit?: number;
  perClass?: number;
  floor: number;
  attribution: string;
  profile?: boolean;
  unreadable: 'skip' | 'fail';
  unreadableInARow?: number;
  retrySkipped?: boolean;
  check: 'files' | 'content' | 'none';
  checkpointSeconds: number;
  shard?: {index: number; count: number};
}

/** `collect`, `merge`, `submit`: the statistics of one pass, on one machine or on many. */
export function addCollectCommands(program: Command): void {
  addCollect(program);
  addMerge(program);
  addSubmit(program);
}

function addCollect(program: Command): void {
  withJson(withSourceOptions(program.command('collect')))
    .description('one pass over the images: relevance statistics of a layer, or of several')
    .argument('<model>', 'ONNX, Keras or tfjs model, or PyTorch checkpoint')
    .argument('<images>', IMAGES)
    .requiredOption(
      '--layer <name>',
      'layer of interest (see unweave layers); given more than once, or a pattern such as "layer4.*", each gets a folder inside --out',
      (name: string, before: string[] = []) => [...before, name],
    )
    .requiredOption('--out <folder>', 'folder for the statistics; a checkpoint of the same run there is resumed')
    .option('--force', 'begin anew in the folder, whatever it holds')
    .option('--batch <n>', 'images per batch; auto measures which number is fastest', batchOption, 32)
    .option('--limit <n>', 'only n images, spread evenly over the classes', imageCount)
    .option('--per-class <n>', 'only n images of each class', imageCount)
    .option('--floor <share>', 'smallest share of relevance kept; find cannot go below it', number, 0.005)
    .option(
      '--attribution <name>',
      `how the logit is shared out among the channels: ${ATTRIBUTIONS.join(', ')}; with parameters as in integratedGradients:steps=64 or lrp:epsilon=0.01`,
      'actGrad',
    )
    .addOption(
      new Option('--unreadable <skip|fail>', 'what an unreadable image, or one with infinite relevance, does')
        .choices(['skip', 'fail'])
        .default('skip'),
    )
    .option(
      '--unreadable-in-a-row <n>',
      'stop the pass after this many unreadable images in a row; by default 1 in 100 of the list, at least 16',
      wholeNumber,
    )
    .option('--retry-skipped', 'try again the images that an earlier run skipped')
    .addOption(
      new Option('--check <what>', 'how a resumed run notices changed images: size and time, content, or not')
        .choices(['files', 'content', 'none'])
        .default('files'),
    )
    .option('--profile', 'say where the time went')
    .option('--checkpoint-seconds <s>', 'seconds between checkpoints; 0 is after each batch', number, 20)
    .option(
      '--shard <i/n>',
      'only part i (0 to n−1) of n, into a folder of its own inside --out; auto/n takes the number of the Slurm or Kubernetes task. unweave merge adds them up',
      shardOption,
    )
    .addHelpText('after', `\n${describeAttributions()}`)
    .action(async (source: string, folder: string, flags: CollectFlags) => {
      const model = await openModel(source, flags);
      const images = await openImagesOption(folder, flags);
      const out = flags.shard ? shardFolder(flags.out, flags.shard.index, flags.shard.count) : flags.out;
      const options: Omit<CollectOptions, 'layer'> = {
        out,
        ...(isPredicted(flags) && {labels: 'predicted' as const}),
        force: flags.force,
        batchSize: flags.batch,
        limit: flags.limit,
        perClass: flags.perClass,
        floor: flags.floor,
        preset: await presetOption(flags.preset),
        attribution: attributionNamed(flags.attribution),
        unreadable: flags.unreadable,
        unreadableInARow: flags.unreadableInARow,
        retrySkipped: flags.retrySkipped,
        check: flags.check,
        checkpointSeconds: flags.checkpointSeconds,
        shard: flags.shard,
        profile: flags.profile ? passProfile() : undefined,
      };
      const {profile} = options;
      const tell = (text: string) => (profile ? `${text}\n${profile}` : text);
      const [first] = flags.layer;
      if (flags.layer.length === 1 && !first.includes('*')) {
        const stats = await collectRelevance(model, images, {...options, layer: first});
        return print(
          flags.json ? {...summary(stats, out), ...timesOf(profile)} : tell(`${stats}\nstatistics in ${out}`),
          flags.json,
        );
      }
      const layers = Object.values(await collectLayers(model, images, {...options, layers: flags.layer}));
      const text = layers.map(String).join('\n\n');
      print(
        flags.json
          ? {out, layers: layers.map((stats) => summary(stats, out)), ...timesOf(profile)}
          : tell(`${text}\nstatistics in ${out}, a folder per layer`),
        flags.json,
      );
    });
}

function addMerge(program: Command): void {
  withJson(program.command('merge'))
    .description('add up the shards of a run: the same statistics as from one pass')
    .argument('<folders...>', 'folders of shards, or the folder that holds them')
    .requiredOption('--out <folder>', 'folder for the statistics')
    .option('--force', 'overwrite the folder, whatever it holds')
    .option('--wait <n>', 'wait until n shards are finished', wholeNumber)
    .action(async (folders: string[], options: {out: string; force?: boolean; wait?: number; json?: boolean}) => {
      for (;;) {
        try {
          const stats = await mergeShards(folders);
          if (options.wait !== undefined && stats.images.shards) throw new InputError('shards are missing');
          await saveStatistics(stats, options.out, {force: options.force});
          return print(
            options.json ? summary(stats, options.out) : `${stats}\nstatistics in ${options.out}`,
            options.json,
          );
        } catch (error) {
          // What cannot come to be by waiting ends it: shards of other runs or damaged ones.
          const mayCome =
            error instanceof InputError && /missing|unfinished|^no (folder|statistics)/.test(error.message);
          if (options.wait === undefined || !mayCome) throw error;
          await wait(10_000);
        }
      }
    });
}

interface SubmitFlags {
  layer: string;
  out: string;
  shards: number;
  slurm?: boolean;
  sbatch?: string;
  dryRun?: boolean;
  kubernetes?: boolean;
  image?: string;
  claim?: {name: string; mountPath: string};
  json?: boolean;
}

function addSubmit(program: Command): void {
  withJson(program.command('submit'))
    .description(
      'collect on a cluster: shards as an array of tasks, and their merge; the flags of collect go behind --',
    )
    .argument('<model>', 'as for collect, as the cluster sees it')
    .argument('<images>', 'as for collect, as the cluster sees it')
    .argument('[flags...]', 'flags of collect, behind --')
    .requiredOption('--layer <name>', 'layer of interest')
    .requiredOption('--out <folder>', 'folder for the statistics; shards go into <folder>.shards')
    .requiredOption('--shards <n>', 'parts of the list; tasks of some minutes are best', wholeNumber)
    .option('--slurm', 'submit to Slurm and follow')
    .option('--sbatch <flags>', 'flags of sbatch in one word, e.g. "--partition gpu --time 2:00:00", for --slurm')
    .option('--dry-run', 'print the scripts for --slurm, and submit nothing')
    .option('--kubernetes', 'print the jobs as YAML for kubectl apply')
    .option('--image <name>', 'container image that has unweave, for --kubernetes')
    .option('--claim <name:path>', 'persistent volume claim and where it is mounted, for --kubernetes', claimOption)
    .action(async (model: string, images: string, flags: string[], options: SubmitFlags) => {
      const {layer, out, shards} = options;
      const job = {model, images, layer, out, shards, flags};
      if (Boolean(options.slurm) === Boolean(options.kubernetes))
        throw new InputError('no cluster is named; give --slurm or --kubernetes');
      if (options.kubernetes) {
        if (options.image === undefined)
          throw new InputError('no container image is named; give --image, one that has Node and unweave');
        const {image, claim} = options;
        process.stdout.write(kubernetesJobs(job, {image, claim}));
        return;
      }
      const slurm = (options.sbatch ?? '').split(/\s+/).filter((word) => word !== '');
      if (options.dryRun) {
        const shardsToRun = Array.from({length: shards}, (_, index) => index);
        process.stdout.write(`${arrayScript(job, shardsToRun, slurm)}\n# after it:\n${mergeScript(job, slurm)}`);
        return;
      }
      const stats = await submitCollect({...job, slurm});
      print(options.json ? summary(stats, out) : `${stats}\nstatistics in ${out}`, options.json);
    });
}

/** Milliseconds by phase, where they were measured. */
const timesOf = (profile?: PassProfile) => profile && {profile: {images: profile.images, times: profile.times}};

function summary(stats: RelevanceStatistics, out: string) {
  const [kh, kw, inputs, outputs] = stats.layer.shape;
  return {
    out,
    model: stats.model,
    layer: {name: stats.layer.name, kernel: [kh, kw], inputs, channels: outputs},
    images: stats.images.paths.length,
    skipped: stats.images.skipped,
    top1: topOne(stats),
    zeroInputs: zeroInputShare(stats),
  };
}

const batchOption = (text: string) => (text === 'auto' ? text : imageCount(text));

/** `3/16`, or `auto/16` where a scheduler numbers its tasks. */
function shardOption(text: string): {index: number; count: number} {
  const [index, count] = text.split('/');
  if (count === undefined) throw new InvalidArgumentError('It is i/n, such as 0/16, or auto/16.');
  if (index !== 'auto') return {index: wholeNumber(index), count: wholeNumber(count)};
  const {SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX} = process.env;
  const given = SLURM_ARRAY_TASK_ID ?? JOB_COMPLETION_INDEX;
  if (given === undefined)
    throw new InvalidArgumentError('auto needs SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX, which a scheduler sets.');
  return {index: wholeNumber(given), count: wholeNumber(count)};
}

function claimOption(text: string): {name: string; mountPath: string} {
  const [name, mountPath] = text.split(':');
  if (!mountPath?.startsWith('/')) throw new InvalidArgumentError('It is name:path, such as data:/data.');
  return {name, mountPath};
}
