import type {DetailConcept} from './analysis';
import {numberText} from '../../common/numbers';
import {conceptColours} from '../../plots/palette';
import {svg} from './dom';
import {partName} from './words';

const SIDE = 230;
const MARGIN = 30;
const MOST_POINTS = 600;

/** Each source's relevance to two concepts, in its owner's colour; the lines bound what each concept owns at ρ. */
export function sourceScatter(
  concepts: readonly DetailConcept[],
  [a, b]: readonly [number, number],
  owners: Int8Array,
  rho: number,
): SVGElement {
  const [x, y] = [concepts[a].arv, concepts[b].arv];
  const strength = (i: number) => Math.max(Math.abs(x[i]), Math.abs(y[i]));
  const sources = [...owners.keys()].filter((i) => Number.isFinite(x[i]) && Number.isFinite(y[i]));
  sources.sort((i, j) => strength(j) - strength(i));
  const points = sources.slice(0, MOST_POINTS);
  const values = points.flatMap((i) => [x[i], y[i]]);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const span = high - low || 1;
  const place = (value: number) => MARGIN + ((value - low) / span) * (SIDE - 2 * MARGIN);
  const at = (horizontal: number, vertical: number) => [place(horizontal), SIDE - place(vertical)];
  const line = (from: [number, number], to: [number, number], className: string) => {
    const [[x1, y1], [x2, y2]] = [at(...from), at(...to)];
    return svg('line', {x1, y1, x2, y2, class: className});
  };
  const colours = conceptColours(concepts);
  const circles = points.reverse().map((i) => {
    const [cx, cy] = at(x[i], y[i]);
    const owner = owners[i];
    const whose = owner < 0 ? 'shared' : `owned by ${partName(owner)}`;
    const title = `source ${i}, ${whose}: ${partName(a)} ${numberText(x[i])}, ${partName(b)} ${numberText(y[i])}`;
    const style = owner < 0 ? undefined : `fill:${colours[owner]};stroke:none`;
    return svg('circle', {cx, cy, r: owner < 0 ? 2.5 : 3.5, class: 'source', style}, svg('title', {}, title));
  });
  const label = `relevance of ${points.length} sources to ${partName(a)} (across) and ${partName(b)} (up), as an owner's colour tells`;
  return svg(
    'svg',
    {class: 'scatter', viewBox: `0 0 ${SIDE} ${SIDE}`, width: SIDE, height: SIDE, role: 'img', 'aria-label': label},
    line([low, 0], [high, 0], 'axis'),
    line([0, low], [0, high], 'axis'),
    line([low, rho * low], [high, rho * high], 'bound'),
    line([rho * low, low], [rho * high, high], 'bound'),
    ...circles,
    ...tickMarks(low, high, place),
    svg('text', {x: SIDE - 2, y: SIDE - 2, 'text-anchor': 'end'}, `relevance to ${partName(a)} →`),
    svg('text', {x: 2, y: 11}, `↑ to ${partName(b)}`),
  );
}

/** Marks and numbers at round values along the lower and the left edge. */
function tickMarks(low: number, high: number, place: (value: number) => number): SVGElement[] {
  return roundValues(low, high).flatMap((value) => {
    const at = place(value);
    return [
      svg('line', {x1: at, x2: at, y1: SIDE - MARGIN + 4, y2: SIDE - MARGIN + 8, class: 'axis'}),
      svg('text', {x: at, y: SIDE - MARGIN + 17, 'text-anchor': 'middle', class: 'tick-label'}, numberText(value)),
      svg('line', {x1: MARGIN - 8, x2: MARGIN - 4, y1: SIDE - at, y2: SIDE - at, class: 'axis'}),
      svg('text', {x: MARGIN - 9, y: SIDE - at + 3, 'text-anchor': 'end', class: 'tick-label'}, numberText(value)),
    ];
  });
}

/** Three to six multiples of a round step from `low` to `high`. */
function roundValues(low: number, high: number): number[] {
  const rough = (high - low) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough) ?? rough;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({length: Math.floor(high / step + 1e-9) - first + 1}, (_, n) =>
    Number(((first + n) * step).toPrecision(6)),
  );
}
