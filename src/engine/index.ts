export {backend, ensureBackend} from './choose';
export type {BackendChoice, EngineName} from './choose';
export {installGradients} from './gradients';
export {withInterrupt} from './interrupt';
