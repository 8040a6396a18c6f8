export {knownImages} from './images';
export {KNOWN_LAYER} from './network';
export {KNOWN_KINDS, knownNetwork, REPORT_SEEDS, TUNING_SEEDS, type KnownKind} from './networks';
export {CLASS_PARTS, CODES, KNOWN_CLASSES, PARTS} from './parts';
export {runKnownBenchmark, type KnownBenchmark, type KnownOptions} from './run';
export type {KnownRow} from './row';
export {trainKnown, type Supervision, type TrainKnownOptions} from './train';
