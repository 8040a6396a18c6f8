import {counted} from '../../common/words';
import {isFoldedByRewriter} from './names';
import type {NodeMessage, TextEntry} from './proto';

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
