export {ARCHITECTURES, buildArchitecture, expectedWeights, type Architecture} from './buildArchitecture';
export type {CheckpointWeight} from './bind';
