export {buildArchitecture, expectedWeights} from './buildArchitecture';
export {ARCHITECTURES, ARCHITECTURE_INFO, type Architecture, type ArchitectureInfo} from './registry';
export type {CheckpointWeight} from './bind';
