import {classSimilarities} from '../concepts/matrices';
import {vectorKind} from '../concepts/relate';
import type {VectorKind} from '../concepts/types';
import {classesWithImages, type RelevanceStatistics} from '../numerics/statistics';
import {classLabels, cosineWords, rounded} from './labels';
import {SEQUENTIAL_STOPS} from './palette';

/** A Plotly figure: plain data. */
export interface PlotlyMap {
  data: object[];
  layout: {title: {text: string} & Record<string, unknown>} & Record<string, unknown>;
}

export interface SimilarityMapOptions {
  /** Classes to compare, in their order. @default all that have images */
  classes?: readonly number[];
  /** Vectors whose cosines are drawn. @default as `findPolysemantic` */
  arv?: VectorKind;
}

/**
 * Cosines between all classes of a channel as a map that zooms, for more classes than `similarityHeatmap` draws: up to a thousand. Where it
 * lives, Plotly (4.5 MB) comes with the page.
 * @throws InputError for a channel that the statistics lack, or gated vectors of statistics without gates
 */
export function similarityMap(
  stats: RelevanceStatistics,
  channel: number,
  {classes = classesWithImages(stats), arv}: SimilarityMapOptions = {},
): PlotlyMap {
  const kind = vectorKind(stats, arv);
  const {data: cosines} = classSimilarities(stats, channel, {classes, arv: kind});
  const labels = classLabels(classes, stats.classNames);
  const last = SEQUENTIAL_STOPS.length - 1;
  const rows = classes.map((_, i) =>
    Array.from(cosines.subarray(i * classes.length, (i + 1) * classes.length), (value) => rounded(value)),
  );
  return {
    data: [
      {
        type: 'heatmap',
        x: labels,
        y: labels,
        z: rows,
        colorscale: SEQUENTIAL_STOPS.map((stop, at) => [at / last, `rgb(${stop.join(',')})`]),
        colorbar: {title: {text: 'cosine'}},
        hovertemplate: '%{y} × %{x}: %{z}<extra></extra>',
      },
    ],
    layout: {
      title: {
        text: `Similarity of the classes of channel ${channel}<br><sub>cosine of ${cosineWords(kind)}</sub>`,
        x: 0,
        xanchor: 'left',
      },
      width: 600,
      height: 600,
      margin: {l: 20, r: 20, t: 80, b: 20},
      // The page's own ground, and a grey that reads on white and on black.
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)',
      font: {color: '#7d8590'},
      xaxis: {automargin: true, showgrid: false, tickangle: -90},
      yaxis: {autorange: 'reversed', scaleanchor: 'x', automargin: true, showgrid: false},
    },
  };
}
