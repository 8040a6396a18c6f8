import {spawn} from 'node:child_process';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {scaled, type Cost} from './processorTime';

/** Files of each class. */
type Classes = readonly (readonly string[])[];

/** A Python with PyTorch that works on command, so that both can take turns in one run. */
export interface Torch {
  about: {torch: string; threads: number};
  /** An image of a forward pass of a network with random weights, in the faster of PyTorch's two layouts. */
  forward(network: string, images: number): Promise<Cost & {layout: string}>;
  /** The published procedure's relevances over the files of each class. */
  attribution(classes: Classes): Promise<Cost>;
  /** Its vectors of the (channel, class) pairs with these numbers. */
  vectors(classes: Classes, pairs: {first: number; last: number}): Promise<Cost>;
  close(): void;
}

/** @param python a Python that has torch, torchvision and Pillow */
export async function startTorch(python: string): Promise<Torch> {
  const child = spawn(python, [path.join(__dirname, 'published.py')], {stdio: ['pipe', 'pipe', 'inherit']});
  const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const {value, done} = await lines.next();
    if (done) throw new Error(`${python} ended: it needs torch, torchvision and Pillow, and says above what it lacks`);
    return JSON.parse(value as string) as T;
  };
  const ask = <T>(command: object): Promise<T> => {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return answer<T>();
  };
  const about = await answer<Torch['about']>();
  return {
    about,
    async forward(network, images) {
      const found: (Cost & {layout: string})[] = [];
      for (const layout of ['default', 'channels-last']) {
        await ask({do: 'forward', name: network, images: 1, layout}); // The first pass in a layout prepares it.
        found.push({...scaled(await ask<Cost>({do: 'forward', name: network, images, layout}), 1 / images), layout});
      }
      return found.reduce((best, one) => (one.processor < best.processor ? one : best));
    },
    attribution: (classes) => ask({do: 'attribution', classes}),
    vectors: (classes, {first, last}) => ask({do: 'vectors', classes, first, last}),
    close: () => child.stdin.end(),
  };
}
