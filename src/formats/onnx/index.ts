export {readOnnx} from './read';
export type {OnnxNetwork, ReadOnnxOptions} from './read';
export {saveOnnx} from './write';
