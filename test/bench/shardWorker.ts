/** A process that goes through one shard when it is told to; started by `shards.ts`. Its argument: the number of images. */
import {imagesFromPixels} from '../../src/images';
import {collectRelevance} from '../../src/relevance/collect';
import {costOf} from './processorTime';
import {mobileNet} from './networks';
import {makeModel} from '../../src/network/model';

async function main(): Promise<void> {
  const total = Number(process.argv[2]);
  const model = makeModel(mobileNet(), {name: 'MobileNet'});
  const grey = new Uint8Array(224 * 224 * 3).fill(128);
  const labels = Array.from({length: total}, (_, index) => index % 16);
  const images = imagesFromPixels({name: 'pixels', pixels: () => grey, height: 224, width: 224, labels});
  const [layer] = model.layers().slice(-1);
  const pass = (shard: {index: number; count: number}, limit?: number) =>
    collectRelevance(model, images, {
      layer: layer.name,
      shard,
      limit,
      preset: 'tf',
      batchSize: 16,
      progress: false,
      gates: false,
    });
  await pass({index: 0, count: 1}, 32); // What is compiled is warm.
  process.send?.('ready');
  process.on('message', (shard: {index: number; count: number}) => {
    void costOf(() => pass(shard)).then((cost) => process.send?.(cost));
  });
}

void main();
