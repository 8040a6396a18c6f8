export {
  bundleSize,
  canDisplay,
  captureDisplay,
  emit,
  isNotebook,
  redirectDisplay,
  uniqueId,
  type Bundle,
  type Display,
  type EmitOptions,
} from './bundle';
export {chartBundle, figureText, interactiveChartBundle, svgHtml} from './chart';
export {svgOf, type Drawing} from './drawing';
export {drawingBundle} from './themedDrawing';
export {printErrorsShortly, showErrorsShortly} from './errors';
export {escapeHtml, html, isolated, isHtml, scriptJson, trusted, type Html} from './html';
export {imageBundle, imageHtml, type ImageOptions, type ImageType} from './image';
export {interactiveBundle, interactiveHtml, PLOTLY, VEGA, type InteractiveOptions, type Library} from './interactive';
export {isPlotlyFigure, plotlyBundle, plotlyView, type PlotlyFigure} from './plotly';
export {installNotebookProgress, notebookProgress, progressBundle, progressWords, duration} from './progress';
export {figureFile, PAGE_MARK, standalonePage} from './save';
export {tableBundle, tableHtml, tableText, type Cell, type Column, type TableOptions} from './table';
export {themed, type Theme, type VegaLiteSpec} from './theme';
export {describe, htmlBundle, isBundle, isVegaLite, textBundle, toBundle} from './toBundle';
export {renderSvgPng, renderVegaPng, renderVegaSvg} from './vega';
