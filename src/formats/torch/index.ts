export {loadCheckpoint, type CheckpointOptions} from './loadCheckpoint';
export {readCheckpoint} from './readCheckpoint';
export type {LoadedWeight} from './loadTensors';
export {readSafetensors, writeSafetensors, type SafetensorsArray, type SafetensorsFile} from '../../files/safetensors';
