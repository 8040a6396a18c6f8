import {isRecord} from '../../common/isRecord';
import type {Dialect} from './layers/layer';

/**
 * Keras' generation by its version (`2.15.0`, `3.3.3`, `tfjs-layers 4.22.0`), else by how the description is written: only Keras 3
 * calls layers with `args` and `kwargs` and knows `batch_shape`.
 */
export function dialectOf(version: unknown, config: unknown): Dialect {
  const text = typeof version === 'string' ? version : '';
  if (text.startsWith('tfjs')) return 'tfjs';
  const major = /(\d+)\.\d+/.exec(text)?.[1];
  if (major !== undefined) return Number(major) >= 3 ? 'keras3' : 'keras2';
  const layers = isRecord(config) && isRecord(config.config) ? config.config.layers : undefined;
  const third = (layer: unknown) =>
    isRecord(layer) &&
    ((isRecord(layer.config) && ('batch_shape' in layer.config || isRecord(layer.config.dtype))) ||
      (Array.isArray(layer.inbound_nodes) && layer.inbound_nodes.some(isRecord)));
  return Array.isArray(layers) && layers.some(third) ? 'keras3' : 'keras2';
}
