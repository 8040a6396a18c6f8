import * as plain from '../plots';
import type {Figure} from '../plots';
import {saveFigure} from './show';

/** A figure that can write itself; as data it is the figure alone. */
export type SavableFigure = Figure & {
  /**
   * Writes the figure: `.svg`, `.png` (two pixels for each of the figure's), `.html` (interactive) or `.json` (its data).
   * @returns the file's path
   * @throws InputError for another ending, or a folder that is not there
   */
  save(file: string): Promise<string>;
};

/** The plots, with figures that can write themselves. */
export type Plots = {
  [Name in keyof typeof plain]: (typeof plain)[Name] extends (...args: infer Inputs) => Figure
    ? (...args: Inputs) => SavableFigure
    : never;
};

/** Figures from results, as values: `plots.rhoSweep(split).save('rho.svg')`, `show(plots.sourcesPlot(split))`. */
export const plots: Plots = Object.fromEntries(
  Object.entries(plain).map(([name, plot]) => [name, savable(plot as (...inputs: unknown[]) => Figure)]),
) as Plots;

function savable(plot: (...inputs: unknown[]) => Figure): (...inputs: unknown[]) => SavableFigure {
  return (...inputs) => {
    const figure = plot(...inputs);
    const save = (file: string) => saveFigure(figure, file);
    // Not enumerable: whoever compares, copies or writes the figure meets its data alone.
    return Object.defineProperty(figure, 'save', {value: save, enumerable: false}) as SavableFigure;
  };
}
