import type {Summary} from '../numerics/summary';
import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import type {EvaluatedSplit, FractionDefinition} from './inputs';
import {conceptLabels, counted, legendColumns, NUMBER_FORMAT, numberText, rounded} from './labels';
import {conceptColours, INK, NO_CONCEPT, PALE, QUIET} from './palette';

export interface FractionBarsOptions {
  /** Which definition of a fraction; see `ConceptEvaluation`. @default 'positive' */
  definition?: FractionDefinition;
}

const DEFINITIONS: Record<FractionDefinition, string> = {
  published: 'mean of Σ part / Σ original, signed sums',
  positive: 'mean of Σ relu(part) / Σ relu(original)',
  ratioOfSums: 'Σ relu(part) / Σ relu(original), summed',
};
const RESIDUE = 'residue';
const RANDOM = 'random split';

/**
 * What fraction of the original each part and the residue carry on each concept's images, with 95 % intervals, beside random splits of
 * the same sizes (Hesse et al. 2025, section 4.2).
 */
export function fractionBars(evaluation: EvaluatedSplit, {definition = 'positive'}: FractionBarsOptions = {}): Figure {
  const {layer, channel, concepts, randomSplits, tau} = evaluation;
  const title = `What the parts of channel ${channel} of ${layer} carry`;
  const labels = conceptLabels(concepts);
  const names = labels.map((label, j) => `d${j + 1} · ${label}`);
  const headings = concepts.map(
    (concept, own) => `${counted(concept[definition].images, 'image')} of ${labels[own]}; own part: d${own + 1}`,
  );
  const all = concepts.flatMap((concept, own) => {
    const {summary, random} = concept[definition];
    const bar = (name: string, of: Summary, control: boolean) => ({
      images: headings[own],
      part: name,
      colour: control ? RANDOM : name,
      kind: control ? RANDOM : 'this split',
      value: rounded(of.mean),
      low: rounded(of.interval[0]),
      high: rounded(of.interval[1]),
    });
    const bars = (from: {parts: readonly Summary[]; residue: Summary}, control: boolean) => [
      ...from.parts.map((part, j) => bar(names[j], part, control)),
      bar(RESIDUE, from.residue, control),
    ];
    return [...bars(summary, false), ...(randomSplits > 0 ? bars(random, true) : [])];
  });
  // Where no source is shared, the residue is nothing.
  const shared = all.some(({part, value, low, high}) => part === RESIDUE && [value, low, high].some(Boolean));
  const parts = [...names, ...(shared ? [RESIDUE] : [])];
  const legend = [...parts, ...(randomSplits > 0 ? [RANDOM] : [])];
  const rows = all.filter(({part}) => shared || part !== RESIDUE);
  if (rows.every(({value}) => value === null)) {
    return sentenceFigure(
      title,
      `No fraction is a finite number: no image of ${labels.join(' or ') || 'a concept'} reaches τ = ${numberText(tau)} with an original that is not zero.`,
    );
  }
  const y = {field: 'part', type: 'nominal' as const, sort: parts, title: null, axis: {labelLimit: 170}};
  const yOffset = {field: 'kind', type: 'nominal' as const, sort: ['this split', RANDOM]};
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `${DEFINITIONS[definition]} over images where its share is ≥ τ = ${numberText(tau)}`,
      `bars of the split: 95 % interval of the mean${randomSplits > 0 ? `; of ${counted(randomSplits, 'random split')}: central 95 %` : ''}`,
    ),
    data: {values: rows},
    facet: {
      row: {
        field: 'images',
        type: 'nominal',
        sort: headings,
        title: null,
        header: {labelAngle: 0, labelOrient: 'top', labelAnchor: 'start', labelFontWeight: 'bold', labelLimit: 560},
      },
    },
    spacing: 14,
    spec: {
      width: 380,
      height: {step: 11, for: 'offset'},
      layer: [
        {
          mark: {type: 'bar'},
          encoding: {
            y,
            yOffset,
            x: {
              field: 'value',
              type: 'quantitative',
              title: 'fraction of the original channel',
              scale: {domain: domainOf(rows), nice: false},
              axis: {tickCount: 6},
            },
            color: {
              field: 'colour',
              type: 'nominal',
              scale: {
                domain: legend,
                range: [...conceptColours(concepts), ...(shared ? [NO_CONCEPT] : []), PALE],
              },
              legend: {title: null, orient: 'bottom', columns: legendColumns(legend), labelLimit: 170},
            },
            tooltip: [
              {field: 'part', type: 'nominal', title: 'part'},
              {field: 'images', type: 'nominal', title: 'on'},
              {field: 'kind', type: 'nominal', title: 'of'},
              {field: 'value', type: 'quantitative', title: 'fraction', format: NUMBER_FORMAT},
              {field: 'low', type: 'quantitative', title: 'from', format: NUMBER_FORMAT},
              {field: 'high', type: 'quantitative', title: 'to', format: NUMBER_FORMAT},
            ],
          },
        },
        {
          mark: {type: 'rule', color: INK, strokeWidth: 1.2, tooltip: null},
          encoding: {y, yOffset, x: {field: 'low', type: 'quantitative'}, x2: {field: 'high'}},
        },
        {
          mark: {type: 'rule', color: QUIET, strokeDash: [2, 3], tooltip: null},
          encoding: {x: {datum: 1}},
        },
      ],
    },
  };
}

/** From 0 or the lowest value to 1, which all of the original is, or the highest; with room beyond. */
function domainOf(rows: readonly {value: number | null; low: number | null; high: number | null}[]): [number, number] {
  const values = rows.flatMap(({value, low, high}) => [value, low, high]).filter((value) => value !== null);
  const [low, high] = [Math.min(0, ...values), Math.max(1, ...values)];
  const room = 0.05 * (high - low);
  return [low < 0 ? low - room : 0, high + room];
}
