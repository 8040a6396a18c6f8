import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import type {DividedChannel} from './inputs';
import {conceptLabels, counted, legendColumns, NUMBER_FORMAT, numberText, rounded} from './labels';
import {conceptColours, GROUND, INK, MARK, NO_CONCEPT} from './palette';
import {symmetricLog} from './symmetricLog';

export interface SourcesPlotOptions {
  /** Sources that are drawn at most, those of the largest relevance first. @default 1500 */
  limit?: number;
}

/** Pairs of concepts that are drawn side by side at most. */
const PAIRS = 3;

/**
 * The relevance of each source channel to one concept against that to another, by who owns it, as large as its weight (Hesse et al.
 * 2025, section 3.3). Dashed: where ρ draws the line. Of three concepts each pair has a panel; of more, the first three pairs.
 */
export function sourcesPlot(split: DividedChannel, {limit = 1500}: SourcesPlotOptions = {}): Figure {
  const {layer, channel, concepts, rule, rho, kernelShape} = split;
  const title = `Source channels of channel ${channel}`;
  const inputs = kernelShape[2];
  const finite = Array.from({length: inputs}, (_, i) => i).filter((i) =>
    concepts.every(({arv}) => Number.isFinite(arv[i])),
  );
  if (concepts.length < 2 || finite.length === 0) {
    return sentenceFigure(
      title,
      concepts.length < 2
        ? `Channel ${channel} of ${layer} has ${counted(concepts.length, 'concept')}; sources are divided among two or more.`
        : `No source channel of ${layer} has a relevance to every concept that is a finite number.`,
    );
  }
  const size = (i: number) => concepts.reduce((largest, {arv}) => Math.max(largest, Math.abs(arv[i])), 0);
  const shown = finite.sort((a, b) => size(b) - size(a)).slice(0, limit);
  const labels = conceptLabels(concepts);
  const {owner, soft} = ownersOf(split, labels);
  const weights = weightNorms(split);
  const pairs = labels.flatMap((_, j) => labels.slice(j + 1).map((_unused, l) => [j, j + 1 + l] as const));
  const panels = pairs.slice(0, PAIRS);
  const side = [300, 170, 170][panels.length - 1];
  const scale = symmetricLog(shown.flatMap((i) => concepts.map(({arv}) => arv[i])));
  const largest = Math.max(...shown.map((i) => weights[i]), 1e-12);
  const nobody = soft ? 'in several parts' : 'shared';
  const owners = [
    ...labels.map((label) => (soft ? `mostly ${label}` : label)),
    ...(shown.some((i) => owner[i] === -1) ? [nobody] : []),
  ];
  const values = shown.map((i) => ({
    source: i,
    owner: owner[i] === -1 ? nobody : owners[owner[i]],
    weight: rounded(weights[i]),
    ...Object.fromEntries(concepts.map(({arv}, j) => [`arv${j}`, rounded(arv[i])])),
  }));
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `layer ${layer}, rule ${rule}${rho ? `, ρ = ${numberText(rho.rho)} (dashed)` : ''}; a point is a source, that is a channel of the layer’s input, as large as its |weight|; the most relevant are numbered; symmetric log scales`,
      shown.length < inputs &&
        `${counted(shown.length, 'source')} of ${inputs.toLocaleString('en-US')}, those of the largest relevance`,
      pairs.length > panels.length && `${panels.length} of ${pairs.length} pairs of concepts`,
    ),
    data: {values},
    spacing: 24,
    // Two beside one another fit a narrow page.
    columns: 2,
    concat: panels.map(([x, y], panel) => {
      const axisOf = (concept: number) => ({
        field: `arv${concept}`,
        type: 'quantitative' as const,
        title: ['averaged relevance', `for ${labels[concept]}`],
        scale: scale.scale,
        axis: {values: scale.ticks(side), format: '~g', titleLimit: 280, labelOverlap: 'greedy' as const},
      });
      const numbered = numberedSources(shown, {
        owner,
        owners: [x, y],
        // Pixels from the left and from the top.
        place: (i) => [side * scale.at(concepts[x].arv[i]), side * (1 - scale.at(concepts[y].arv[i]))],
        side,
      });
      return {
        width: side,
        height: side,
        layer: [
          ...(rho ? rhoLines(scale.domain, scale.between, rho.rho) : []),
          {
            ...(panel === 0
              ? {
                  params: [
                    {name: 'owner', select: {type: 'point' as const, fields: ['owner']}, bind: 'legend' as const},
                  ],
                }
              : {}),
            mark: {type: 'point' as const, filled: true, stroke: GROUND, strokeWidth: 0.5},
            encoding: {
              x: axisOf(x),
              y: axisOf(y),
              color: {
                field: 'owner',
                type: 'nominal' as const,
                scale: {domain: owners, range: [...conceptColours(concepts), NO_CONCEPT]},
                legend: {
                  title: 'owner',
                  orient: 'bottom' as const,
                  columns: legendColumns(owners, {limit: 180}),
                  labelLimit: 180,
                },
              },
              size: {
                field: 'weight',
                type: 'quantitative' as const,
                scale: {domain: [0, largest], range: [6, 160]},
                legend: null,
              },
              opacity: {condition: {param: 'owner', value: 0.85}, value: 0.1},
              tooltip: [
                {field: 'source', type: 'nominal' as const, title: 'source'},
                {field: 'owner', type: 'nominal' as const, title: 'owner'},
                ...labels.map((label, j) => ({
                  field: `arv${j}`,
                  type: 'quantitative' as const,
                  title: `averaged relevance: ${label}`,
                  format: NUMBER_FORMAT,
                })),
                {field: 'weight', type: 'quantitative' as const, title: '|weight|', format: NUMBER_FORMAT},
              ],
            },
          },
          {
            transform: [{filter: {field: 'source', oneOf: numbered}}],
            mark: {type: 'text' as const, align: 'left' as const, dx: 7, fontSize: 10, color: INK, tooltip: null},
            encoding: {x: axisOf(x), y: axisOf(y), text: {field: 'source', type: 'nominal' as const}},
          },
        ],
      };
    }),
  };
}

/** The most relevant sources of each owner, without those whose number would lie on another number or outside. */
function numberedSources(
  ranked: readonly number[],
  {
    owner,
    owners,
    place,
    side,
  }: {
    owner: readonly number[];
    owners: readonly number[];
    place: (i: number) => readonly [number, number];
    side: number;
  },
): number[] {
  const most = side > 200 ? 4 : 2;
  const chosen: number[] = [];
  const counts = new Map<number, number>();
  for (const i of ranked) {
    const [x, y] = place(i);
    const count = counts.get(owner[i]) ?? 0;
    const free = chosen.every((other) => Math.abs(place(other)[0] - x) > 30 || Math.abs(place(other)[1] - y) > 11);
    if (!owners.includes(owner[i]) || count === most || !free || x > side - 26) continue;
    chosen.push(i);
    counts.set(owner[i], count + 1);
  }
  return chosen;
}

/** y = ρ·x and x = ρ·y: what lies below the first belongs to the concept of x, above the second to that of y. */
function rhoLines([low, high]: readonly [number, number], between: (share: number) => number, rho: number) {
  const line = (slope: number) =>
    Array.from({length: 61}, (_, n) => between(n / 60))
      .filter((x) => slope * x >= low && slope * x <= high)
      .map((x) => ({x: rounded(x), y: rounded(slope * x), line: `slope ${numberText(slope)}`}));
  // The steep line is the flat one turned over, drawn as smoothly.
  const values = [...line(rho), ...line(rho).map(({x, y}) => ({x: y, y: x, line: 'turned'}))];
  return [
    {
      data: {values},
      mark: {type: 'line' as const, color: MARK, strokeDash: [5, 3], strokeWidth: 1, tooltip: null},
      encoding: {
        x: {field: 'x', type: 'quantitative' as const},
        y: {field: 'y', type: 'quantitative' as const},
        detail: {field: 'line', type: 'nominal' as const},
        order: {field: 'x', type: 'quantitative' as const},
      },
    },
  ];
}

/**
 * Who owns each source: the published rule's sets where ownership is hard; otherwise the concept that has more than two thirds of it,
 * of free kernels measured by ⟨d_j, w⟩ / ⟨w, w⟩ over the source's taps. −1: shared.
 */
function ownersOf(split: DividedChannel, labels: readonly string[]): {owner: number[]; soft: boolean} {
  const {ownership, kernelShape, original, parts} = split;
  const [kh, kw, inputs] = kernelShape;
  const taps = Array.from({length: kh * kw}, (_, tap) => tap);
  const shares = labels.map((_, j) =>
    Array.from({length: inputs}, (_unused, i) => {
      if (ownership) return ownership[j][i];
      const product = (a: ArrayLike<number>) =>
        taps.reduce((sum, tap) => sum + a[tap * inputs + i] * original[tap * inputs + i], 0);
      return product(parts[j]) / (product(original) || 1);
    }),
  );
  const soft = !ownership || shares.some((share) => share.some((value) => value !== 0 && value !== 1));
  const owner = Array.from({length: inputs}, (_, i) => {
    const total = shares.reduce((sum, share) => sum + Math.max(share[i], 0), 0);
    return shares.findIndex((share) => (soft ? share[i] > (2 / 3) * total : share[i] === 1 && total === 1));
  });
  return {owner, soft};
}

/** √Σ_taps w² of each source. */
function weightNorms({kernelShape: [kh, kw, inputs], original}: DividedChannel): number[] {
  return Array.from({length: inputs}, (_, i) => {
    let squares = 0;
    for (let tap = 0; tap < kh * kw; tap++) squares += original[tap * inputs + i] ** 2;
    return Math.sqrt(squares);
  });
}
