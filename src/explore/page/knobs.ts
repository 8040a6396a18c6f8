import type {Grid, Knob, Settings} from './explored';
import {gridIndex} from './explored';
import {h, svg} from './dom';
import {numberText} from '../../common/numbers';

const KNOBS: {knob: Knob; symbol: string; name: string; meaning: string}[] = [
  {
    knob: 'tau',
    symbol: 'τ',
    name: 'importance',
    meaning: 'least share of an image’s positive relevance that makes a channel important for it',
  },
  {
    knob: 'p',
    symbol: 'p',
    name: 'relevance',
    meaning: 'least fraction of a class’s images for which a channel that is relevant to the class is important',
  },
  {knob: 'gamma', symbol: 'γ', name: 'difference', meaning: 'cosine below which two classes use different sources'},
  {
    knob: 'rho',
    symbol: 'ρ',
    name: 'ownership',
    meaning: 'a source is a concept’s own if ρ · its relevance exceeds the others’',
  },
];

export interface KnobControls {
  element: HTMLElement;
  /** Draws the cosines of all pairs under the γ slider. */
  drawCosines(cosines: Float64Array, gamma: number): void;
}

/** A slider for each threshold, with its name, value and meaning. */
export function knobControls(grid: Grid, settings: Settings, changed: (knob: Knob) => void): KnobControls {
  const histogram = svg('svg', {
    class: 'histogram',
    viewBox: '0 0 200 28',
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  });
  const controls = KNOBS.map(({knob, symbol, name, meaning}) => {
    const values = grid[knob];
    const shown = h('span', {class: 'value', 'aria-hidden': 'true'});
    const input = h('input', {
      type: 'range',
      min: 0,
      max: Math.max(values.length - 1, 1),
      step: 1,
      value: gridIndex(values, settings[knob]),
      disabled: values.length < 2,
      'data-knob': knob,
      'aria-label': `${symbol} ${name}`,
      'aria-description': meaning,
    });
    const show = () => {
      shown.textContent = numberText(settings[knob]);
      input.setAttribute('aria-valuetext', numberText(settings[knob]));
    };
    show();
    input.addEventListener('input', () => {
      settings[knob] = values[Math.min(Number(input.value), values.length - 1)];
      show();
      changed(knob);
    });
    const title = h('span', {class: 'knob-title'}, h('b', {}, symbol), ` ${name} `, shown);
    return h(
      'label',
      {class: 'knob'},
      title,
      input,
      knob === 'gamma' && histogram,
      h('span', {class: 'hint'}, meaning),
    );
  });
  return {
    element: h('div', {class: 'knobs'}, ...controls),
    drawCosines: (cosines, gamma) => drawHistogram(histogram, cosines, gamma, grid.gamma[0]),
  };
}

const BINS = 80;

/** Bars from the slider's lowest γ to 1, as wide as its way; those below γ stand out, lower ones are in the first. */
function drawHistogram(histogram: SVGElement, cosines: Float64Array, gamma: number, low: number): void {
  const width = 1 - low || 1;
  const counts = new Array<number>(BINS).fill(0);
  for (const value of cosines) counts[Math.max(0, Math.min(BINS - 1, Math.floor(((value - low) / width) * BINS)))] += 1;
  const most = Math.max(1, ...counts);
  const bars = counts.flatMap((count, bin) => {
    if (count === 0) return [];
    // The root keeps a single pair visible beside a thousand.
    const height = 2 + 26 * Math.sqrt(count / most);
    const from = low + (width * bin) / BINS;
    return svg('rect', {
      x: (200 / BINS) * bin,
      y: 28 - height,
      width: 200 / BINS - 0.4,
      height,
      class: from < gamma - 1e-9 ? 'below' : 'above',
    });
  });
  const at = (200 * (gamma - low)) / width;
  histogram.replaceChildren(...bars, svg('line', {x1: at, x2: at, y1: 0, y2: 28, class: 'mark'}));
}
