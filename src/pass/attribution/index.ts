export {actGrad} from './actGrad';
export {compareAttributions, type AttributionComparison, type CompareOptions} from './compare';
export {gradCam} from './gradCam';
export {integratedGradients} from './integratedGradients';
export {lrp, type LrpOptions} from './lrp';
export {smoothGrad} from './smoothGrad';
