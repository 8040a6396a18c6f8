import type {FeaturePreview} from '../../features';
import {numberText} from '../../plots/labels';
import {captureDisplay, html, htmlBundle, isolated, uniqueId} from '../display';
import {kernelState} from '../display/state';
import {cellWaitsFor} from './cellWaitsFor';
import {captioned} from './pictures';

/** Pictures a second at most: each costs the notebook's connection some kilobytes. */
const INTERVAL_MS = 400;

/**
 * Shows an image while it is being optimised, in place, in the cell that runs now, until `show` shows the result. Nothing outside a notebook.
 * @example await visualizeFeature(model, objective, {onStep: livePreview()})
 * @param options.side longer side on the page in pixels. @default 160
 */
export function livePreview({side = 160}: {side?: number} = {}): (preview: FeaturePreview) => void {
  const display = captureDisplay();
  const displayId = uniqueId();
  let drawn = -Infinity;
  let update = false;
  let drawing: Promise<void> = Promise.resolve();
  const state = kernelState();
  const clear = () => {
    // By the cell that shows the result: of a cell that has ended, some front ends take no message any more.
    const shown = captureDisplay();
    drawing = drawing.then(() => void (update && shown(htmlBundle(html`<span></span>`, ''), {displayId, update})));
    cellWaitsFor(drawing);
  };
  const preview: NonNullable<typeof state.preview> = {cell: state.cell, clear};
  state.preview = preview;
  return ({step, steps, value, images, text}) => {
    preview.text = text;
    const now = performance.now();
    if (step < steps && now - drawn < INTERVAL_MS) return;
    drawn = now;
    const line = `${text}: ${numberText(value)} after ${step} of ${steps} steps`;
    drawing = drawing.then(async () => {
      const pictures = await Promise.all(images.map((image) => captioned(image, text, '', side)));
      display(
        htmlBundle(
          html`<div style="font-size:12px">
            ${pictures}
            <div>${isolated(line)}</div>
          </div>`,
          line,
        ),
        {
          displayId,
          update,
        },
      );
      update = true;
    });
    cellWaitsFor(drawing);
  };
}
