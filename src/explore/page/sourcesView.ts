import {cosine} from '../../numerics/vectors';
import type {DetailConcept} from './analysis';
import {numberText, percentText} from '../../common/numbers';
import {conceptColours} from '../../plots/palette';
import {h} from './dom';
import {chip} from './heatmap';
import {sourceScatter} from './scatter';
import {divideSources, type SourceDivision} from './sources';
import {plural} from './words';

const MOST_CONCEPTS = 12;
const MOST_PAIRS = 21;
const STRONGEST = 5;

export interface SourcesView {
  element: HTMLElement;
  render(rho: number): void;
}

/** Which source channels each concept owns at ρ, and, for a pair of concepts, why. */
export function sourcesView(concepts: readonly DetailConcept[]): SourcesView {
  const element = h('section', {class: 'sources'});
  let pair: [number, number] = [0, 1];
  let rho = 0.5;
  element.addEventListener('click', (event) => {
    const row = (event.target as Element).closest('[data-pair]');
    if (!row) return;
    pair = row.getAttribute('data-pair')!.split(',').map(Number) as [number, number];
    render(rho);
    element.querySelector<HTMLElement>(`[data-pair="${pair.join()}"] button`)?.focus();
  });

  function render(newRho: number): void {
    rho = newRho;
    const arvs = concepts.map(({arv}) => arv);
    const division = divideSources(arvs, rho);
    const inputs = division.owners.length;
    // The figure shows what two concepts own of each other, as its lines and the row of their pair do.
    const inPair = divideSources([arvs[pair[0]], arvs[pair[1]]], rho).owners.map((owner) =>
      owner < 0 ? -1 : pair[owner],
    );
    element.replaceChildren(
      h('h4', {}, `Sources at ρ = ${numberText(rho)}`),
      shareBar(division, inputs, concepts),
      h(
        'div',
        {class: 'side-by-side'},
        h(
          'div',
          {class: 'owned'},
          ownedTable(concepts, division),
          concepts.length > 2 && pairTable(concepts, rho, pair),
        ),
        sourceScatter(concepts, pair, inPair, rho),
      ),
    );
  }
  return {element, render};
}

function shareBar({sets, shared}: SourceDivision, inputs: number, concepts: readonly DetailConcept[]): HTMLElement {
  const colours = conceptColours(concepts);
  const parts = sets.map((set, j) => ({count: set.length, colour: colours[j]}));
  const bar = h('div', {class: 'share', 'aria-hidden': 'true'});
  for (const {count, colour} of [...parts, {count: shared, colour: ''}]) {
    if (count > 0) bar.append(h('span', {style: `flex:${count} 0 0;${colour && `background:${colour}`}`}));
  }
  const own = sets.reduce((sum, set) => sum + set.length, 0);
  const words = `of ${plural(inputs, 'source channel')}, ${own} belong to one concept, ${shared} are shared`;
  return h('div', {}, bar, h('div', {class: 'shared-words'}, words));
}

function ownedTable(concepts: readonly DetailConcept[], {sets, carried}: SourceDivision): HTMLElement {
  const rows = concepts.slice(0, MOST_CONCEPTS).map(({arv}, j) => {
    const strongest = sets[j].slice(0, STRONGEST).map((i) => `${i}\u00a0(${numberText(arv[i])})`);
    const more = sets[j].length > STRONGEST ? ', …' : '';
    return h(
      'tr',
      {},
      h('td', {}, chip(j, concepts)),
      h('td', {class: 'number', 'data-owned': j}, sets[j].length),
      h('td', {class: 'number'}, percentText(carried[j])),
      h('td', {}, strongest.length > 0 ? strongest.join(', ') + more : 'none'),
    );
  });
  const titles = ['part', 'own sources', 'of its relevance', 'strongest (mean relevance)'];
  return h(
    'table',
    {},
    h('thead', {}, h('tr', {}, ...titles.map((title) => h('th', {}, title)))),
    h('tbody', {}, ...rows),
    concepts.length > MOST_CONCEPTS &&
      h('caption', {}, `… and ${plural(concepts.length - MOST_CONCEPTS, 'more concept')}`),
  );
}

/** The same rule for two concepts at a time; a row selects what the figure shows. */
function pairTable(concepts: readonly DetailConcept[], rho: number, current: readonly [number, number]): HTMLElement {
  const pairs = concepts
    .flatMap((_, a) => concepts.slice(a + 1).map((__, shift): [number, number] => [a, a + 1 + shift]))
    .map(([a, b]) => ({a, b, value: cosine(concepts[a].arv, concepts[b].arv)}));
  // Pairs without a cosine come last.
  pairs.sort((one, other) => (Number.isNaN(one.value) ? 2 : one.value) - (Number.isNaN(other.value) ? 2 : other.value));
  const rows = pairs.slice(0, MOST_PAIRS).map(({a, b, value}) => {
    const {sets, shared} = divideSources([concepts[a].arv, concepts[b].arv], rho);
    const isCurrent = a === current[0] && b === current[1];
    const button = h(
      'button',
      {type: 'button', 'aria-pressed': String(isCurrent)},
      chip(a, concepts),
      ' ',
      chip(b, concepts),
    );
    return h(
      'tr',
      {'data-pair': `${a},${b}`, class: isCurrent && 'current'},
      h('td', {}, button),
      ...[numberText(value), sets[0].length, shared, sets[1].length].map((text) => h('td', {class: 'number'}, text)),
    );
  });
  const titles = ['two concepts', 'cosine, published vectors', 'the first’s', 'shared', 'the second’s'];
  return h(
    'table',
    {class: 'pairs'},
    h('thead', {}, h('tr', {}, ...titles.map((title) => h('th', {}, title)))),
    h('tbody', {}, ...rows),
    pairs.length > MOST_PAIRS && h('caption', {}, `the ${MOST_PAIRS} lowest cosines of ${pairs.length}`),
  );
}
