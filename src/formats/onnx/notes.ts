import * as v from 'valibot';
import {InputError} from '../../common/errors';
import {resolvePreset} from '../../images/presets';
import {counted} from '../../common/words';
import {parseJson} from '../../common/json';
import type {Preset} from '../../images/types';
import {isFoldedByRewriter} from './names';
import type {OnnxModel} from './file';
import {graphChecksum, type NodeMessage, type TextEntry} from './proto';

/** What a user should know of a file, in sentences. */
export function notesOn(nodes: readonly NodeMessage[]): string[] {
  const folded = nodes.filter(
    (node) =>
      isFoldedByRewriter(node) ||
      // The older exporter gives folded weights a number in place of their names.
      (node.opType === 'Conv' &&
        node.input.slice(1).length === 2 &&
        node.input.slice(1).every((name) => /^onnx::Conv_\d+$/.test(name))),
  );
  if (folded.length === 0) return [];
  return [
    `The exporter has folded batch norm into ${counted(folded.length, 'convolution')}: their outputs Z include its scale and shift, which changes relevances. ` +
      'To keep it apart, export with torch.onnx.export(model.eval(), image, "model.onnx", dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False).',
  ];
}

/** Names of the classes, where a file brings them as `names` or `id2label`: {0: 'tench', 1: "goldfish"}. */
export function classNamesIn(entries: readonly TextEntry[], classes: number): string[] | undefined {
  const text = entries.find(({key}) => ['names', 'id2label', 'labels'].includes(key))?.value;
  if (text === undefined) return undefined;
  const found = new Map<number, string>();
  for (const [, index, single, double] of text.matchAll(
    /["']?(\d+)["']?\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g,
  )) {
    found.set(Number(index), (single ?? double ?? '').replace(/\\(.)/g, '$1'));
  }
  const names = Array.from({length: classes}, (_, k) => found.get(k));
  return names.every((name) => name !== undefined) ? (names as string[]) : undefined;
}

/** What a file says of a network beside its graph. */
export interface Saved {
  classNames?: string[];
  /** The preprocessing that it was saved with. */
  preset?: Preset;
  /** Hashes of the models that it was split from, oldest first. */
  origins?: string[];
  /** What these hashes were made of. */
  hashVersion?: number;
}

/** Key of what unweave keeps in a file: `{hash, sha256, preset, classNames, origins}`. */
export const METADATA_KEY = 'unweave';

/**
 * What `saveOnnx` kept; nothing in files of others.
 * @throws InputError where it is damaged, or nodes or weights are not those that were saved
 */
export function savedIn({metadataProps, graph}: OnnxModel, file: string): Saved {
  const text = metadataProps.find(({key}) => key === METADATA_KEY)?.value;
  if (text === undefined) return {};
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    return {};
  }
  const checked = v.safeParse(SAVED, json);
  if (!checked.success) {
    const [issue] = checked.issues;
    throw new InputError(
      `what unweave saved in this ONNX file is damaged: ${v.getDotPath(issue)?.slice(0, 80) ?? 'it'} is not valid (${issue.message.slice(0, 120)}); save the model again`,
    );
  }
  const {preset, classNames, origins = [], hashVersion, sha256} = checked.output;
  if (sha256 !== undefined && sha256 !== graphChecksum(graph)) {
    throw new InputError(
      `"${file}" is damaged: its nodes and weights are not those that unweave saved; copy it again, or save the model again (if another program has changed it on purpose, remove "${METADATA_KEY}" from its metadata_props)`,
    );
  }
  return {
    ...(preset && {preset: resolvePreset(preset as unknown as Preset)}),
    ...(hashVersion !== undefined && {hashVersion}),
    ...(classNames && {classNames}),
    ...(origins.length > 0 && {origins}),
  };
}

const SAVED = v.object({
  preset: v.optional(v.record(v.string(), v.unknown())),
  classNames: v.optional(v.array(v.string())),
  origins: v.optional(v.array(v.string())),
  hashVersion: v.optional(v.number()),
  sha256: v.optional(v.string()),
});
