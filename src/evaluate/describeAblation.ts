import type {AblatedConcept, AblationEffect, SplitAblation} from './types';
import {fractionText, intervalText, percentText} from '../common/numbers';
import {textTable} from '../common/textTable';
import {counted, namedClass, namedClasses} from '../common/words';

/** Classes that a printed table shows at most. */
const ROWS = 12;

/** Tables for a terminal or a cell. */
export function describeAblation(ablation: Omit<SplitAblation, 'toString'>): string {
  const {layer, channel, images, concepts, classes, randomSplits} = ablation;
  const names = concepts.map(namedClasses);
  const summary = [
    ['concept removed', 'own classes', 'other concepts', ...(randomSplits > 0 ? ['random: own', 'random: other'] : [])],
    ...concepts.map(({own, other, random}, j) => [
      names[j],
      ...[own, other, ...(randomSplits > 0 ? [random.own, random.other] : [])].map(intervalText),
    ]),
  ];
  const lines = [
    `channel ${channel} of layer ${layer} on ${counted(images, 'image')} of ${classes.length} classes: what removing a concept costs a class's own logit, as a share of what removing the whole channel costs`,
    ...textTable(summary).map((line) => `  ${line}`),
  ];
  lines.push(...ablationNotes(ablation).map((note) => `  ${note}`));
  const shown = [...classes]
    .sort((a, b) => Math.abs(b.zeroed.logit) - Math.abs(a.zeroed.logit) || a.class - b.class)
    .slice(0, ROWS);
  const cell = ({logit, accuracy}: AblationEffect) => `${fractionText(logit)} (${percentText(accuracy, 1)})`;
  const rows = shown.map(({class: k, className, images: count, before, zeroed, removed}) => [
    namedClass(k, className),
    String(count),
    ...[before, zeroed, ...removed].map(cell),
  ]);
  lines.push(
    '',
    `mean logit of the own class and top-1, and how they change (${shown.length} of ${classes.length} classes, those that need the channel most)`,
    ...textTable([['', 'images', 'before', 'no channel', ...names.map((name) => `no ${name}`)], ...rows]).map(
      (line) => `  ${line}`,
    ),
  );
  return lines.join('\n');
}

/** What a reader must know beside the shares: where they mean nothing, and what becomes of the classes of no concept. */
export function ablationNotes({
  concepts,
  classes,
  randomSplits,
}: Pick<SplitAblation, 'concepts' | 'classes' | 'randomSplits'>): string[] {
  const names = concepts.map(namedClasses);
  const harmless = concepts.flatMap(({zeroed}, j) => (zeroed < 0 ? [] : [names[j]]));
  const notes = harmless.map(
    (name) => `warning: removing the whole channel does not lower the logit of ${name}: its shares mean nothing`,
  );
  if (concepts.length > 0 && classes.some(({concept}) => concept === -1)) {
    const control = ({random}: AblatedConcept) =>
      randomSplits > 0 ? ` (random splits: ${intervalText(random.rest)})` : '';
    const each = concepts.map(
      (concept, j) => `${fractionText(concept.rest.removed)} without ${names[j]}${control(concept)}`,
    );
    notes.push(
      `classes of no concept: their logits move by ${[...each, `${fractionText(concepts[0].rest.zeroed)} without the channel`].join(', ')} (mean size)`,
    );
  }
  return notes;
}
