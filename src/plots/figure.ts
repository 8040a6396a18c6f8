import type {TopLevelSpec} from 'vega-lite';
import {QUIET} from './palette';
import {wrapped} from './labels';

/** A figure as a value: a Vega-Lite 5 specification, plain data with its rows inside. */
export type Figure = TopLevelSpec;

/** Names the language, so that a figure is known for one wherever it goes. */
export const SCHEMA = 'https://vega.github.io/schema/vega-lite/v5.json';

export interface FigureTitle {
  text: string;
  subtitle?: string[];
  /** Distance to what is below, in pixels. */
  offset: number;
}

/** A title with what the figure is about below it; empty lines are left out. */
export function figureTitle(text: string, ...about: (string | false | undefined)[]): FigureTitle {
  const subtitle = about.filter((line): line is string => Boolean(line)).flatMap((line) => wrapped(line, 88));
  return {text, ...(subtitle.length > 0 && {subtitle}), offset: 12};
}

/** What stands in for a figure where there is nothing to draw: a sentence that says why. */
export function sentenceFigure(title: string, sentence: string): Figure {
  const lines = wrapped(sentence, 70);
  return {
    $schema: SCHEMA,
    title: figureTitle(title),
    width: 460,
    height: 16 * lines.length + 16,
    view: {stroke: null},
    data: {values: [{}]},
    mark: {
      type: 'text',
      text: lines,
      align: 'left',
      baseline: 'top',
      fontSize: 12,
      lineHeight: 16,
      color: QUIET,
      x: 0,
      y: 8,
      tooltip: null,
    },
  };
}
