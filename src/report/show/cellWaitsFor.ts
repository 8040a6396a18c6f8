import {kernelState} from '../display/state';

/** Keeps the running cell from ending before the work is done, however that ends. */
export function cellWaitsFor(work: Promise<unknown>): void {
  const state = kernelState();
  const before = state.showing;
  const all = work
    .catch(() => {})
    .then(() => before)
    .then(() => {
      if (state.showing === all) state.showing = undefined;
    });
  state.showing = all;
}
