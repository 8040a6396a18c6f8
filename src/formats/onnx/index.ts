export {readOnnx} from './read';
export type {OnnxNetwork, ReadOnnxOptions} from './read';
