import type {Detail} from './analysis';
import {conceptColours, inkOn, MARK, ON_DARK, ON_LIGHT, sequential, type Coloured} from '../../plots/palette';
import {fractionText, numberText} from '../../common/numbers';
import {h, isolated} from './dom';
import {partName} from './words';

/** Side of the whole matrix in pixels, and of one cell at most. */
const SIDE = 400;
const LARGEST_CELL = 40;
const SMALLEST_LABELLED = 13;
/** Columns from this width on have room for the name of a part. */
const ROOM_FOR_PARTS = 26;

export interface HeatmapOptions {
  gamma: number;
  nameOf(k: number): string;
  /** Two classes were chosen. */
  choose(classes: [number, number]): void;
}

/** Cosines of a channel's classes, those of a concept side by side; a dot marks the pairs below γ. */
export function heatmap(detail: Detail, {gamma, nameOf, choose}: HeatmapOptions): HTMLElement {
  const {classes, cosines, concepts} = detail;
  const unsure = new Set(detail.undecided);
  const count = classes.length;
  const cell = Math.max(1, Math.min(LARGEST_CELL, SIDE / count));
  const side = Math.round(cell * count);
  const conceptOf = new Map(concepts.flatMap(({classes: members}, j) => members.map((k) => [k, j] as const)));
  const lowest = bottomOfScale(cosines);
  const colour = (value: number) => sequential((value - lowest) / (1 - lowest));
  const canvas = h('canvas', {
    tabindex: 0,
    role: 'img',
    'aria-label': `cosines of the relevance vectors of ${count} classes; arrow keys move, Enter compares two classes`,
    style: `width:${side}px;height:${side}px`,
  });
  const readout = h('div', {class: 'readout', 'aria-live': 'polite'});
  let cursor: [number, number] | undefined;
  const undecided = (i: number, j: number) => unsure.has(classes[i]) || unsure.has(classes[j]);
  const marked = (i: number, j: number) => i !== j && cosines[i * count + j] < gamma && !undecided(i, j);
  const draw = () => drawMatrix(canvas, {count, side, cosines, colour, cursor, marked});
  const show = () => {
    draw();
    readout.replaceChildren(
      ...(cursor ? described(cursor) : ['point at a cell to read it; click to compare its two classes']),
    );
  };
  const described = ([i, j]: [number, number]): (Node | string)[] => {
    const value = cosines[i * count + j];
    const end = Number.isNaN(value)
      ? 'no direction to compare'
      : `${numberText(value)}${i !== j && undecided(i, j) ? ', undecided: a class does not agree with itself' : marked(i, j) ? ', below γ' : ''}`;
    return [isolated(nameOf(classes[i])), ' × ', isolated(nameOf(classes[j])), `: ${end}`];
  };
  const pick = () => {
    if (cursor && cursor[0] !== cursor[1]) choose([classes[cursor[0]], classes[cursor[1]]]);
  };
  canvas.addEventListener('pointermove', (event) => {
    const bounds = canvas.getBoundingClientRect();
    const at = (offset: number) => Math.max(0, Math.min(count - 1, Math.floor((offset / bounds.width) * count)));
    cursor = [at(event.clientY - bounds.top), at(event.clientX - bounds.left)];
    show();
  });
  canvas.addEventListener('pointerleave', () => {
    cursor = undefined;
    show();
  });
  canvas.addEventListener('click', pick);
  canvas.addEventListener('keydown', (event) => {
    const step = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (event.key === 'Enter' || event.key === ' ') pick();
    else if (!step) return;
    event.preventDefault();
    if (!step) return;
    const [i, j] = cursor ?? [0, 0];
    const inside = (at: number) => Math.max(0, Math.min(count - 1, at));
    cursor = cursor ? [inside(i + step[0]), inside(j + step[1])] : [0, Math.min(1, count - 1)];
    show();
  });
  show();

  const labelled = cell >= SMALLEST_LABELLED;
  const label = (k: number, className: string, size: string) =>
    h(
      'span',
      {class: className, style: `${size}:${cell}px`, title: nameOf(k)},
      (className === 'name' || cell >= ROOM_FOR_PARTS) && (unsure.has(k) ? '?' : chip(conceptOf.get(k) ?? 0, concepts)),
      isolated(nameOf(k)),
    );
  return h(
    'div',
    {class: 'heatmap'},
    h(
      'div',
      {class: 'matrix'},
      labelled && h('div', {class: 'columns'}, ...classes.map((k) => label(k, 'column', 'width'))),
      labelled && h('div', {class: 'names'}, ...classes.map((k) => label(k, 'name', 'height'))),
      canvas,
    ),
    scale(lowest, gamma, colour),
    readout,
  );
}

/** The name of a concept's part on its colour. */
export function chip(concept: number, concepts: readonly Coloured[]): HTMLElement {
  const colour = conceptColours(concepts)[concept];
  const style = `background:${colour};color:${inkOn(colour)}`;
  return h('span', {class: 'chip', style}, partName(concept));
}

/** The scale begins at a round number below all cosines, so that differences are seen where all of them are high. */
function bottomOfScale(cosines: Float64Array): number {
  const lowest = cosines.reduce((low, value) => (value < low ? value : low), 1);
  return lowest < 0.95 ? Math.floor(lowest * 10) / 10 : 0.9;
}

interface Matrix {
  count: number;
  side: number;
  cosines: Float64Array;
  colour(value: number): [number, number, number];
  cursor: [number, number] | undefined;
  /** Whether a pair is below γ, and decided. */
  marked(i: number, j: number): boolean;
}

function drawMatrix(canvas: HTMLCanvasElement, {count, side, cosines, colour, cursor, marked}: Matrix): void {
  const density = Math.max(1, globalThis.devicePixelRatio || 1);
  canvas.width = canvas.height = Math.round(side * density);
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale((side * density) / side, (side * density) / side);
  const cell = side / count;
  const gap = cell >= 6 ? 1 : 0;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = '11px sans-serif';
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const value = cosines[i * count + j];
      const [x, y] = [j * cell, i * cell];
      const [red, green, blue] = Number.isNaN(value) ? [140, 149, 159] : colour(value);
      context.fillStyle = `rgb(${red},${green},${blue})`;
      // A pixel more closes the seams that rounding leaves between small cells.
      const size = gap ? cell - gap : cell + 0.5;
      context.fillRect(x, y, size, size);
      const light = 0.3 * red + 0.59 * green + 0.11 * blue > 130;
      context.fillStyle = light ? ON_LIGHT : ON_DARK;
      if (cell >= 34 && i !== j && !Number.isNaN(value)) {
        context.fillText(fractionText(value), x + cell / 2, y + cell / 2);
      }
      if (cell >= 9 && marked(i, j)) {
        context.beginPath();
        context.arc(x + cell - gap - cell * 0.16, y + cell * 0.16, Math.max(1.2, cell * 0.07), 0, 2 * Math.PI);
        context.fill();
      }
    }
  }
  if (!cursor) return;
  context.lineWidth = 2;
  const size = Math.max(cell - gap, 3);
  context.strokeStyle = MARK;
  context.strokeRect(cursor[1] * cell, cursor[0] * cell, size, size);
}

/** What the colours mean, with γ marked on it. */
function scale(lowest: number, gamma: number, colour: (value: number) => [number, number, number]): HTMLElement {
  const stops = Array.from({length: 9}, (_, i) => `rgb(${colour(lowest + ((1 - lowest) * i) / 8).join(',')})`);
  const at = (100 * (gamma - lowest)) / (1 - lowest);
  return h(
    'div',
    {class: 'scale'},
    h('span', {}, numberText(lowest)),
    h(
      'span',
      {class: 'ramp', style: `background:linear-gradient(to right,${stops.join(',')})`},
      at >= 0 && at <= 100 && h('span', {class: 'tick', style: `left:${at}%`, title: 'γ'}, 'γ'),
    ),
    h('span', {}, '1'),
    h('span', {class: 'hint'}, 'cosine; a dot marks a pair below γ'),
  );
}
