import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import type {DividedChannel} from './inputs';
import {conceptLabels, counted, numberText, rounded} from './labels';
import {conceptColours, GREY, MARK} from './palette';

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
  const side = [300, 230, 140][panels.length - 1];
  const largest = Math.max(...shown.map((i) => weights[i]), 1e-12);
  const owners = [
    ...labels.map((label) => (soft ? `mostly ${label}` : label)),
    ...(shown.some((i) => owner[i] === -1) ? ['shared'] : []),
  ];
  const values = shown.map((i) => ({
    source: i,
    owner: owner[i] === -1 ? 'shared' : owners[owner[i]],
    weight: rounded(weights[i]),
    ...Object.fromEntries(concepts.map(({arv}, j) => [`arv${j}`, rounded(arv[i])])),
  }));
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `layer ${layer}, rule ${rule}${rho ? `, ρ ${numberText(rho.rho)} (dashed)` : ''}; a point is a source, as large as its |weight|`,
      shown.length < inputs &&
        `${counted(shown.length, 'source')} of ${inputs.toLocaleString('en-US')}, those of the largest relevance`,
      pairs.length > panels.length && `${panels.length} of ${pairs.length} pairs of concepts`,
    ),
    data: {values},
    spacing: 24,
    hconcat: panels.map(([x, y], panel) => ({
      width: side,
      height: side,
      layer: [
        ...(rho
          ? rhoLines(
              shown.map((i) => [concepts[x].arv[i], concepts[y].arv[i]]),
              rho.rho,
            )
          : []),
        {
          ...(panel === 0
            ? {params: [{name: 'owner', select: {type: 'point' as const, fields: ['owner']}, bind: 'legend' as const}]}
            : {}),
          mark: {type: 'point' as const, filled: true, stroke: '#ffffff', strokeWidth: 0.5},
          encoding: {
            x: {
              field: `arv${x}`,
              type: 'quantitative' as const,
              title: ['averaged relevance', `for ${labels[x]}`],
              axis: AXIS,
            },
            y: {
              field: `arv${y}`,
              type: 'quantitative' as const,
              title: ['averaged relevance', `for ${labels[y]}`],
              axis: AXIS,
            },
            color: {
              field: 'owner',
              type: 'nominal' as const,
              scale: {domain: owners, range: [...conceptColours(concepts.length), GREY]},
              legend: {title: 'owner', orient: 'bottom' as const, columns: 3, labelLimit: 180},
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
                format: '.3~g',
              })),
              {field: 'weight', type: 'quantitative' as const, title: '|weight|', format: '.3~g'},
            ],
          },
        },
      ],
    })),
  };
}

const AXIS = {tickCount: 5, titleLimit: 280};

/** y = ρ·x and x = ρ·y: what lies below the first belongs to the concept of x, above the second to that of y. */
function rhoLines(points: readonly (readonly [number, number])[], rho: number) {
  const all = points.flat();
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
  const clip = (slope: number) => {
    // The part of y = slope·x inside the square of all values.
    const [from, to] = slope >= 1 ? [low / slope, high / slope] : [low, high];
    return [from, to].map((x) => ({x: rounded(x), y: rounded(slope * x), line: `slope ${numberText(slope)}`}));
  };
  return [
    {
      data: {values: [...clip(rho), ...clip(1 / rho)]},
      mark: {type: 'line' as const, color: MARK, strokeDash: [5, 3], strokeWidth: 1, tooltip: null},
      encoding: {
        x: {field: 'x', type: 'quantitative' as const},
        y: {field: 'y', type: 'quantitative' as const},
        detail: {field: 'line', type: 'nominal' as const},
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
