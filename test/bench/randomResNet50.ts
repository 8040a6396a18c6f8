import {buildArchitecture, expectedWeights} from '../../src/formats/architectures';
import {makeModel} from '../../src/network/model';
import type {Model} from '../../src/network/types';
import {uniform} from '../reference/smallNetworks';

/** A ResNet-50 with random weights: speed does not depend on what it learned. */
export function randomResNet50(): Model {
  const draw = uniform(1, -1, 1);
  const weights = new Map(
    [...expectedWeights('resnet50', 1000)].map(([name, shape]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const fan = Math.max(1, size / shape[0]);
      const data = Float32Array.from({length: size}, () =>
        name.endsWith('running_var') ? 1 + 0.5 * draw() : draw() * Math.sqrt(2 / fan),
      );
      return [name, {shape, data}];
    }),
  );
  return makeModel(buildArchitecture('resnet50', weights), {name: 'ResNet-50'});
}
