export {controls, type Knobs, type KnobValues} from './controls';
export {choice, slider, toggle, type Knob} from './knobs';
export {answerComms, commServer, type Comm, type CommServer} from './server';
