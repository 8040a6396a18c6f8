import {h} from './dom';
import type {Settings} from './explored';

const KINDS = [
  ['gated', 'where the channel fires', 'gated vectors, which findPolysemantic compares by default'],
  ['published', 'at all positions', 'averaged relevance vectors, as in the paper'],
] as const;

/** Chooses what classes are compared by. */
export function vectorSwitch(settings: Settings, changed: () => void): HTMLElement {
  const choices = KINDS.map(([kind, name, hint]) => {
    const input = h('input', {type: 'radio', name: 'arv', value: kind, 'data-arv': kind});
    input.checked = settings.arv === kind;
    input.addEventListener('change', () => {
      settings.arv = kind;
      changed();
    });
    return h('label', {class: 'auto', title: hint}, input, ` ${name}`);
  });
  return h(
    'div',
    {class: 'vectors', role: 'radiogroup', 'aria-label': 'what classes are compared by'},
    'compare classes ',
    ...choices,
  );
}
