export {imageBatches, type ImageBatchOptions} from './batches';
export {imageFiles, imageFolder, type FileImageOptions, type ImageFolderOptions} from './folder';
export {type DecodeOptions} from './decode';
export {type LabelOption} from './labelMap';
export {PRESETS, pixelSize, resolvePreset} from './presets';
export {UnreadableImageError} from './unreadable';
export type {ImageBatch, LabelledImages, PixelSize, Preset, PresetOption} from './types';
