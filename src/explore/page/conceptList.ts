import type {DetailConcept} from './analysis';
import {h, isolated, joined} from './dom';
import type {Explored} from './explored';
import {chip} from './heatmap';
import {plural} from './words';
import {inTurn} from '../../common/inTurn';

const MOST_CONCEPTS = 12;
const MOST_NAMES = 12;
const MOST_PICTURES = 6;

/** The concepts of a channel: their classes by name, and pictures. */
export function conceptList(
  explored: Explored,
  channel: number,
  concepts: readonly DetailConcept[],
  {title, back}: {title: string; back?: () => void},
): HTMLElement {
  const nameOf = (k: number) => explored.classes.get(k)?.name ?? `class ${k}`;
  const items = concepts.slice(0, MOST_CONCEPTS).map(({classes}, j) => {
    const names = classes.slice(0, MOST_NAMES).map((k) => h('span', {title: `class ${k}`}, isolated(nameOf(k))));
    const more = classes.length - names.length;
    const line = h('div', {}, chip(j, concepts), ' ', ...joined(names, ' + '), more > 0 && ` + ${more} more`);
    return h('li', {}, line, tilesOf(explored, channel, classes, nameOf));
  });
  const left = concepts.length - items.length;
  const backButton = back && h('button', {type: 'button', class: 'back'}, 'back to all concepts');
  if (back) backButton?.addEventListener('click', back);
  return h(
    'div',
    {class: 'concepts'},
    h('h4', {}, title),
    backButton,
    h('ul', {}, ...items),
    left > 0 && h('div', {class: 'hint'}, `… and ${plural(left, 'more concept')}`),
  );
}

/** Pictures of the classes in turn, the most relevant of each class first. */
function tilesOf(
  {pictures, channels}: Explored,
  channel: number,
  classes: readonly number[],
  nameOf: (k: number) => string,
): HTMLElement | undefined {
  if (!pictures) return undefined;
  const {tile: side, columns, paths} = pictures;
  const row = channels.findIndex((candidate) => candidate.channel === channel);
  const tiles = inTurn(
    classes.map((k) =>
      (pictures.tiles[row]?.[channels[row].classes.indexOf(k)] ?? []).map((tile) => ({tile, name: nameOf(k)})),
    ),
  );
  if (tiles.length === 0) return undefined;
  const spans = tiles.slice(0, MOST_PICTURES).map(({tile, name}) => {
    const [left, top] = [-side * (tile % columns), -side * Math.floor(tile / columns)];
    const style = `width:${side}px;height:${side}px;background-position:${left}px ${top}px`;
    return h('span', {class: 'tile', role: 'img', 'aria-label': name, title: `${name}: ${paths[tile]}`, style});
  });
  return h('div', {class: 'tiles'}, ...spans);
}
