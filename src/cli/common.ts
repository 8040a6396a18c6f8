import {printableJson, printableLines} from '../common/printable';
import {Command, InvalidArgumentError, Option} from 'commander';
import {choosePreset, openImages} from '../images';
import type {LabelledImages, Preset, PresetOption} from '../images/types';
import {loadModel} from '../formats/load';
import {formatOf} from '../formats/sniff';
import type {Model} from '../network/types';
import {PREDICTED} from '../numerics/statistics';
import {predictedLabels} from '../pass/predictedLabels';
import {InputError} from '../common/errors';
import {SPLIT_RULES} from '../split/rules';

/** Options of every command that reads a model or images. */
export interface SourceOptions {
  arch?: string;
  state?: string;
  inputSize?: [number, number];
  output?: string;
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
      '--input-size <pixels>',
      'size of the images for a network that takes any: 224, or 224x320 (height x width)',
      inputSize,
    )
    .option('--output <name>', 'the output with the classes, for a network of several')
    .option(
      '--preset <name|file>',
      'preprocessing: torch-imagenet, tf, cifar, raw, timm/NAME.WEIGHTS (timm/resnet50.a1_in1k), or a JSON file {name, shorterSide?, mean, std}',
    )
    .option(
      '--labels <file|none|predicted>',
      'JSON, CSV or text of file (or class folder) to class index; none: by the class folders alone, whatever was recorded; predicted: what the network says, for images without labels',
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

/**
 * What every command that divides a channel is told.
 * @param words of the channel, and of the rule where none is named
 */
export function withDividingOptions(command: Command, {channel, rule}: {channel: string; rule: string}): Command {
  return command
    .requiredOption('--channel <c>', channel, wholeNumber)
    .option('--rule <name>', `how the weights are divided: ${Object.keys(SPLIT_RULES).join(', ')} (${rule})`)
    .option('--force', 'write into the folder, whatever it holds');
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

/** How many images to take. */
export function imageCount(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It is a number of images: a whole number from 1, such as 100.');
  return value;
}

/** `224` as [224, 224], `224x320` as [224, 320]. */
function inputSize(text: string): [number, number] {
  const sides = text.split('x').map(wholeNumber);
  if (sides.length > 2) throw new InvalidArgumentError('Give one number, or height x width.');
  return [sides[0], sides[sides.length - 1]];
}

/** Prints what the user should know, beside the result. */
export function printNotes(notes: readonly string[] = []): void {
  for (const note of notes) process.stderr.write(`note: ${printableLines(note)}\n`);
}

/** `png,tif` as ['png', 'tif']. */
function words(text: string): string[] {
  return text.split(',').map((word) => word.trim());
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
  const {arch, state, inputSize, output} = options;
  const given = {state, inputSize, output, preset: await presetOption(options.preset)};
  const named = arch !== undefined || !recorded || (await formatOf(source)).format !== 'checkpoint';
  if (!named && recorded.arch === undefined) {
    throw new InputError(
      `the ${recorded.of} of a network that describes itself, and "${source}" is a PyTorch checkpoint; give that model`,
    );
  }
  const model = await loadModel(source, {arch: named ? arch : recorded.arch, ...given}).catch((error: Error) => {
    if (named || !(error instanceof InputError)) throw error;
    throw new InputError(`the ${recorded.of} of a ${recorded.arch}, and "${source}" is none: ${error.message}`);
  });
  printNotes(model.notes);
  return model;
}

/** Says where the statistics' or the split's preset and the images' differ, and which applies. */
export async function notePreset(
  model: Model,
  images: LabelledImages,
  options: SourceOptions,
  recorded?: Preset,
): Promise<void> {
  printNotes(choosePreset(model, images, await presetOption(options.preset), recorded).notes);
}

export async function openImagesOption(
  folder: string,
  options: SourceOptions,
  recorded: {labelsFile?: string} = {},
): Promise<LabelledImages> {
  const preset = await presetOption(options.preset);
  const {classOrder, extensions, root} = options;
  const labels = options.labels === 'none' ? {} : {labels: options.labels, recordedLabels: recorded.labelsFile};
  const unlabelled = isPredicted(options, recorded);
  const given = unlabelled ? {unlabelled} : labels;
  const images = await openImages(folder, {...given, preset, classOrder, extensions, root});
  printNotes(images.notes);
  return images;
}

/** Whether the network's own predictions stand for labels: asked for, or recorded by the run that the images are for. */
export const isPredicted = ({labels}: SourceOptions, {labelsFile}: {labelsFile?: string} = {}) =>
  labels === PREDICTED || (labels === undefined && labelsFile === PREDICTED);

/** The images that a model's command is about, labelled by the model where that is asked for. */
export async function openModelImages(
  model: Model,
  folder: string,
  options: SourceOptions,
  recorded: {labelsFile?: string; preset?: Preset} = {},
): Promise<LabelledImages> {
  const images = await openImagesOption(folder, options, recorded);
  if (!isPredicted(options, recorded)) return images;
  return predictedLabels(model, images, {preset: (await presetOption(options.preset)) ?? recorded.preset});
}

/** Prints a result: as text that reads well, or as one JSON object. */
export function print(result: unknown, json: boolean | undefined): void {
  process.stdout.write(`${json ? printableJson(JSON.stringify(result)) : printableLines(String(result))}\n`);
}
