import {Command, InvalidArgumentError, Option} from 'commander';
import {openImages} from '../images';
import type {LabelledImages, PresetOption} from '../images/types';
import {loadModel} from '../formats/load';
import {formatOf} from '../formats/sniff';
import type {Model} from '../network/types';
import {InputError} from '../common/errors';

/** Options of every command that reads a model or images. */
export interface SourceOptions {
  arch?: string;
  state?: string;
  preset?: string;
  labels?: string;
  classOrder?: 'name' | 'number';
  extensions?: string[];
  root?: string;
  json?: boolean;
}

export function withSourceOptions(command: Command): Command {
  return command
    .option('--arch <name>', 'architecture of a PyTorch checkpoint, e.g. resnet50; default: the only one that fits')
    .option('--state <name>', 'which state dict of a checkpoint, where several fit, e.g. state_dict_ema')
    .option(
      '--preset <name|file>',
      'preprocessing: torch-imagenet, tf, cifar, raw, or a JSON file {name, shorterSide?, mean, std}',
    )
    .option(
      '--labels <file|none>',
      'JSON, CSV or text of file (or class folder) to class index; none: by the class folders alone, whatever was recorded',
    )
    .option('--root <folder>', 'folder that the paths of a list file are relative to; by default its own')
    .addOption(
      new Option(
        '--class-order <order>',
        'how class folders are counted; by default by number where their names are the numbers 0 to K − 1',
      ).choices(['name', 'number']),
    )
    .option(
      '--extensions <list>',
      'endings of image files, e.g. png,tif; by default those of JPEG, PNG and WebP',
      words,
    );
}

export function withJson(command: Command): Command {
  return command.addOption(new Option('--json', 'print one JSON object on stdout, and nothing else there'));
}

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}

export function wholeNumber(text: string): number {
  const value = number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It is not a whole number from 0.');
  return value;
}

/** `png,tif` as ['png', 'tif']. */
function words(text: string): string[] {
  return text.split(',').map((word) => word.trim());
}

/** `1,4` as [1, 4]. */
export function classList(text: string): number[] {
  return text.split(',').map(wholeNumber);
}

export function rhoOption(text: string): number | 'auto' {
  return text === 'auto' ? 'auto' : number(text);
}

/** A preset's name, or the path of a JSON file with one's own: either is what the API takes. */
export async function presetOption(text: string | undefined): Promise<PresetOption | undefined> {
  return text;
}

/**
 * @param recorded what the statistics or the split say of their model, for `split`, `verify` and `evaluate`
 * @throws InputError where it cannot be that model
 */
export async function openModel(
  source: string,
  options: SourceOptions,
  recorded?: {arch?: string; of: string},
): Promise<Model> {
  const {arch, state} = options;
  const preset = await presetOption(options.preset);
  if (arch !== undefined || !recorded || (await formatOf(source)).format !== 'checkpoint') {
    return loadModel(source, {arch, state, preset});
  }
  if (recorded.arch === undefined) {
    throw new InputError(
      `the ${recorded.of} of a network that describes itself, and "${source}" is a PyTorch checkpoint; give that model`,
    );
  }
  return loadModel(source, {arch: recorded.arch, state, preset}).catch((error: Error) => {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`the ${recorded.of} of a ${recorded.arch}, and "${source}" is none: ${error.message}`);
  });
}

export async function openImagesOption(
  folder: string,
  options: SourceOptions,
  recorded: {labelsFile?: string} = {},
): Promise<LabelledImages> {
  const preset = await presetOption(options.preset);
  const {classOrder, extensions, root} = options;
  const labels = options.labels === 'none' ? {} : {labels: options.labels, recordedLabels: recorded.labelsFile};
  const images = await openImages(folder, {...labels, preset, classOrder, extensions, root});
  for (const note of images.notes ?? []) process.stderr.write(`note: ${note}\n`);
  return images;
}

/** Prints a result: as text that reads well, or as one JSON object. */
export function print(result: unknown, json: boolean | undefined): void {
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${String(result)}\n`);
}
