import type {Packed} from './packed';
import {unpack} from './packed';
import {mountPanel} from './panel';

/** What the page's script offers: `start` fills an element; the others are its numbers alone. */
export {analyse, complete} from './analysis';
export {unpack} from './packed';
export {divideSources} from './sources';

export async function start(root: HTMLElement, packed: Packed): Promise<void> {
  mountPanel(root, await unpack(packed), packed);
}
