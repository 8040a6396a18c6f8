export {buildArchitecture, expectedWeights} from './buildArchitecture';
export {ARCHITECTURES, type Architecture} from './registry';
export type {CheckpointWeight} from './bind';
