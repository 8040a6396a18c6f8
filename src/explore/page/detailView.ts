import type {Analysis, ChannelSummary, DetailConcept} from './analysis';
import {conceptList} from './conceptList';
import {copyButton, h} from './dom';
import type {Explored, Settings} from './explored';
import {heatmap} from './heatmap';
import {sourcesView} from './sourcesView';
import {numberText} from '../../common/numbers';
import {disentangleCode, plural} from './words';

/** Classes that are grouped and drawn at most: beyond, it takes too long and nobody can read it. */
const MOST_CLASSES = 400;

export interface DetailView {
  element: HTMLElement;
  /** Draws a channel, or nothing. */
  render(summary: ChannelSummary | undefined, settings: Settings): void;
  /** Only ρ has moved. */
  renderSources(settings: Settings): void;
}

/** One channel: the code that divides it, its classes' cosines, its concepts with pictures, and their sources. */
export function detailView(explored: Explored, analysis: Analysis): DetailView {
  const element = h('div', {class: 'detail'});
  const nameOf = (k: number) => explored.classes.get(k)?.name ?? `class ${k}`;
  /** Two classes that are looked at instead of all concepts. */
  let chosen: {channel: number; classes: [number, number]} | undefined;
  let automatic = false;
  let redrawSources: (settings: Settings) => void = () => {};

  function render(summary: ChannelSummary | undefined, settings: Settings): void {
    redrawSources = () => {};
    if (!summary) return element.replaceChildren();
    const {channel, classes, lowestCosine, below, pairs, undecided} = summary;
    const facts = `relevant to ${plural(classes.length, 'class', 'classes')} · lowest cosine ${numberText(lowestCosine)} · ${below} of ${plural(pairs, 'pair')} below γ${undecided > 0 ? ` · ${undecided} undecided` : ''}`;
    const head = [h('h3', {}, `Channel ${channel}`), h('div', {class: 'facts'}, facts)];
    const why = classes.length > MOST_CLASSES ? 'These classes are too many to be grouped here: raise τ or p.' : '';
    const detail = why ? undefined : analysis.detail(settings, channel);
    if (!detail) {
      const words = why || 'The relevance vectors of these classes are zero: there is nothing to compare.';
      return element.replaceChildren(...head, h('p', {}, words));
    }
    if (chosen?.channel !== channel || !chosen.classes.every((k) => classes.includes(k))) chosen = undefined;
    const groups = chosen?.classes.map((k) => [k]);
    const concepts = groups ? analysis.concepts(channel, groups) : detail.concepts;
    if (concepts.length < 2) {
      const map = heatmap(detail, {gamma: settings.gamma, nameOf, choose: () => {}});
      const words =
        'Fewer than two of these classes agree with themselves between the halves of their images: there is nothing to divide the channel by.';
      return element.replaceChildren(...head, h('p', {}, words), map);
    }
    const choose = (two?: [number, number]) => {
      chosen = two && {channel, classes: two};
      render(summary, settings);
    };
    const sources = sourcesView(concepts);
    const code = codeLine(channel, concepts);
    redrawSources = ({rho}) => {
      sources.render(rho);
      code.render(rho);
    };
    redrawSources(settings);
    element.replaceChildren(
      ...head,
      ...code.elements,
      h(
        'div',
        {class: 'side-by-side'},
        heatmap(detail, {gamma: settings.gamma, nameOf, choose}),
        conceptList(explored, channel, concepts, {
          title: chosen ? 'Two classes compared' : plural(concepts.length, 'concept'),
          back: chosen && (() => choose()),
        }),
      ),
      sources.element,
    );
  }

  function codeLine(channel: number, concepts: readonly DetailConcept[]) {
    const code = h('code', {});
    const letAuto = h('input', {type: 'checkbox'});
    letAuto.checked = automatic;
    let last = 1;
    const draw = (rho: number) => {
      last = rho;
      code.textContent = disentangleCode(channel, concepts, automatic ? 'auto' : rho);
    };
    letAuto.addEventListener('change', () => {
      automatic = letAuto.checked;
      draw(last);
    });
    const copy = copyButton(() => code.textContent ?? '', 'copy the code that divides this channel');
    const elements = [
      h('div', {class: 'code'}, code, copy),
      h('label', {class: 'auto'}, letAuto, ' let disentangle choose ρ from the images'),
    ];
    return {elements, render: draw};
  }

  return {element, render, renderSources: (settings) => redrawSources(settings)};
}
