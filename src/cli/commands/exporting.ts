import path from 'node:path';
import {Option, type Command} from 'commander';
import {InputError} from '../../common/errors';
import {saveOnnx} from '../../formats/onnx';
import {saveModel} from '../../formats/save';
import {loadSplit, readSplitManifest} from '../../split/store';
import {saveTorchSplit} from '../../split/torchSplit';
import {openModel, print, withJson, withSourceOptions, type SourceOptions} from '../common';

/** What is written, by the name of the output where nothing is said. */
const FORMATS = ['onnx', 'torch', 'tfjs'] as const;
type Format = (typeof FORMATS)[number];

/** @throws InputError for the ending of a format that is not written */
function formatBy(out: string): Format {
  const ending = path.extname(out).toLowerCase();
  if (ending === '.onnx') return 'onnx';
  if (ending === '.safetensors') return 'torch';
  if (/^\.[a-z]\w*$/.test(ending)) {
    throw new InputError(
      `no format ends in ${ending}: OUT.onnx, OUT.safetensors (PyTorch) and a folder for tfjs are written; for a folder of that name say --to tfjs`,
    );
  }
  return 'tfjs';
}

/** `export`: a split, or a whole model, for other tools. */
export function addExportCommand(program: Command): void {
  withJson(withSourceOptions(program.command('export')))
    .description('write a split, or a model, for other tools: OUT.onnx, OUT.safetensors for PyTorch, or a tfjs folder')
    .argument('<model>', 'the model that was split')
    .argument('[split]', 'folder that unweave split made; without it the model itself is written')
    .requiredOption('--out <file>', 'an .onnx file; a .safetensors file with the parts for PyTorch; a folder for tfjs')
    .addOption(new Option('--to <format>', 'format, by default by the name of the output').choices(FORMATS))
    .option('--force', 'overwrite what is there')
    .action(async (source: string, folder: string | undefined, options: SourceOptions & ExportFlags) => {
      const {out, force} = options;
      const to = options.to ?? formatBy(out);
      if (to === 'torch' && folder === undefined) {
        throw new InputError(
          'for PyTorch the parts of a split are written: give the folder that unweave split made (a whole model goes as --to onnx)',
        );
      }
      const recorded = folder === undefined ? undefined : await readSplitManifest(folder);
      const model = await openModel(source, options, recorded && {...recorded, of: 'split is'});
      const split = folder === undefined ? undefined : await loadSplit(folder, model);
      if (to === 'torch' && split) await saveTorchSplit(split, out, {force});
      else if (to === 'onnx') await saveOnnx(split ?? model, out, {force});
      else await saveModel(split?.model ?? model, out, {force});
      const what = split ? `channel ${split.channel} of layer ${split.layer}, divided` : model.name;
      const text = `${what}: written to ${out} (${to})${to === 'torch' ? '; docs/pytorch.md has the module that reads it' : ''}`;
      print(options.json ? {out, format: to, layer: split?.layer, channel: split?.channel} : text, options.json);
    });
}

interface ExportFlags {
  out: string;
  to?: Format;
  force?: boolean;
}
