export {
  ARCHITECTURES,
  buildArchitecture,
  expectedWeights,
  type Architecture,
  type CheckpointWeight,
} from './buildArchitecture';
