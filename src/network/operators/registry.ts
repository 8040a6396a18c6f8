import {InputError} from '../../common/errors';
import * as activations from './activations';
import * as arithmetic from './arithmetic';
import {Conv2D, Conv2DTranspose, DepthwiseConv2D} from './convolutions';
import {Dense, MatMul} from './dense';
import {Constant, InputLayer} from './inputs';
import {BatchNormalization, GroupNormalization, LayerNormalization, Rescaling} from './normalization';
import {AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D} from './pooling';
import {Max, Mean, Sum} from './reductions';
import {Resize} from './resizing';
import {Concatenate, Pad, Permute, Reshape, Slice} from './shaping';
import type {Operator} from './types';

const {ReLU, ELU, PReLU, HardSigmoid, Activation, Clip, Softmax, LogSoftmax} = activations;
const {Add, Subtract, Multiply, Divide, Maximum, Minimum, Average, Power} = arithmetic;

/** Every operator that a graph may hold, by name. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [
    [InputLayer, Constant, Conv2D, DepthwiseConv2D, Conv2DTranspose, Dense, MatMul],
    [BatchNormalization, LayerNormalization, GroupNormalization, Rescaling],
    [ReLU, ELU, PReLU, HardSigmoid, Activation, Clip, Softmax, LogSoftmax],
    [Add, Subtract, Multiply, Divide, Maximum, Minimum, Average, Power],
    [Concatenate, Slice, Pad, Reshape, Permute, Resize],
    [MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, Mean, Max, Sum],
  ]
    .flat()
    .map((operator) => [operator.name, operator]),
);

/** @throws InputError for a name that is no operator's */
export function operatorOf(name: string): Operator {
  const operator = OPERATORS.get(name);
  if (!operator) throw new InputError(`no operator "${name}"; operators: ${[...OPERATORS.keys()].join(', ')}`);
  return operator;
}
