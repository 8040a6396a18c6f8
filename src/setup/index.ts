export {doctor, type Diagnosis} from './doctor';
export {recentSetupFailure, setupEngine, type SetupOptions} from './setup';
