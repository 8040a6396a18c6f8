import type {ChannelSummary, Overview} from './analysis';
import type {Explored} from './explored';
import {h, isolated} from './dom';
import {numberText} from '../../common/numbers';
import {plural} from './words';

const MOST_ROWS = 300;

export interface ChannelList {
  element: HTMLElement;
  render(overview: Overview, selected: number | undefined): void;
}

/** The candidates, one of which is selected by click or by the arrow keys. */
export function channelList(explored: Explored, select: (channel: number) => void): ChannelList {
  const rows = h('div', {
    class: 'rows',
    role: 'listbox',
    tabindex: 0,
    'aria-label': 'channels, the lowest cosine first',
  });
  const more = h('div', {class: 'hint'});
  const head = h(
    'div',
    {class: 'row head', 'aria-hidden': 'true'},
    ...['channel', 'classes', 'lowest cosine', 'below γ', 'most different'].map((title) => h('span', {}, title)),
  );
  let shown: number[] = [];
  let current: number | undefined;
  rows.addEventListener('click', (event) => {
    const row = (event.target as Element).closest('[data-channel]');
    if (row) select(Number(row.getAttribute('data-channel')));
  });
  rows.addEventListener('keydown', (event) => {
    const at = current === undefined ? -1 : shown.indexOf(current);
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (shown[to] !== undefined) select(shown[to]);
  });

  function row(summary: ChannelSummary): HTMLElement {
    const {channel, classes, lowestCosine, lowestPair, pairs, below} = summary;
    const isCurrent = channel === current;
    const names = (lowestPair ?? []).map((k) => isolated(explored.classes.get(k)?.name ?? String(k)));
    return h(
      'div',
      {
        class: below > 0 ? 'row poly' : 'row',
        role: 'option',
        id: `channel-${channel}`,
        'data-channel': channel,
        'aria-selected': String(isCurrent),
      },
      h('span', {}, channel),
      h('span', {}, classes.length),
      h('span', {}, numberText(lowestCosine)),
      h('span', {title: `${below} of ${plural(pairs, 'pair')}`}, `${below}/${pairs}`),
      h('span', {class: 'names'}, ...(names.length === 2 ? [names[0], ' | ', names[1]] : [])),
    );
  }

  return {
    element: h('div', {class: 'channels'}, head, rows, more),
    render({candidates}, selected) {
      current = selected;
      const visible = candidates.slice(0, MOST_ROWS);
      shown = visible.map(({channel}) => channel);
      rows.replaceChildren(...visible.map(row));
      rows.hidden = visible.length === 0;
      head.hidden = visible.length === 0;
      if (current === undefined) rows.removeAttribute('aria-activedescendant');
      else rows.setAttribute('aria-activedescendant', `channel-${current}`);
      const left = candidates.length - visible.length;
      more.textContent = left > 0 ? `… and ${plural(left, 'more channel')} with higher cosines` : '';
      const selectedRow = rows.querySelector<HTMLElement>('[aria-selected="true"]');
      if (selectedRow) keepInView(rows, selectedRow);
    },
  };
}

/** Scrolls the list alone: `scrollIntoView` would move the whole notebook. */
function keepInView(list: HTMLElement, row: HTMLElement): void {
  const [top, bottom] = [row.offsetTop - list.offsetTop, row.offsetTop - list.offsetTop + row.offsetHeight];
  if (top < list.scrollTop) list.scrollTop = top;
  else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
}
