import {InputError} from '../../common/errors';
import type {Weight} from '../../network/graph';
import type {Hdf5File} from './hdf5';
import {wrongShape, type LayerPlace, type WantedWeight, type WeightSource} from './weights';

/** Groups that a model keeps its layers in: Keras 3 and later 2.x, and 2.12. */
const CONTAINERS = ['layers', '_layer_checkpoint_dependencies'];

/** The arrays of `model.weights.h5`: `layers/conv2d_7/vars/0`, the layers counted by class, the arrays in Keras' order. */
export class StateWeights implements WeightSource {
  private readonly taken = new Set<string>();
  private readonly groups = new Map<string, string | undefined>();

  constructor(private readonly file: Hdf5File) {}

  has(place: LayerPlace): boolean {
    return this.groupOf(place.counters) !== undefined;
  }

  take(place: LayerPlace, wanted: readonly WantedWeight[]): Weight[] {
    if (wanted.length === 0) return [];
    const group = this.groupOf(place.counters);
    return wanted.map((weight, at) => {
      const array = group === undefined ? undefined : this.file.array(`${group}/vars/${at}`);
      if (!array) {
        throw new InputError(
          `the weights of ${place.owner} are not in the file: ${weight.name} [${weight.shape.join(', ')}] should be "${place.counters.join('/')}", array ${at}; the file is incomplete, save the model again`,
        );
      }
      const fits =
        array.shape.length === weight.shape.length && array.shape.every((size, axis) => size === weight.shape[axis]);
      if (!fits) throw wrongShape(place, weight, array.shape);
      this.taken.add(array.name);
      return {name: weight.name, shape: [...weight.shape], data: array.data()};
    });
  }

  /** Layers count what they have: an array too many is seen when the layer's own are taken. */
  unused(): string[] {
    return [];
  }

  byOrder(): string[] {
    return [];
  }

  /** The group of a layer, through the models around it. */
  private groupOf(counters: readonly string[]): string | undefined {
    const key = counters.join('/');
    if (!this.groups.has(key)) this.groups.set(key, this.findGroup(counters));
    return this.groups.get(key);
  }

  private findGroup(counters: readonly string[]): string | undefined {
    let places = [''];
    for (const counter of counters) {
      places = places.flatMap((place) =>
        CONTAINERS.map((container) => (place ? `${place}/${container}` : container)).flatMap((container) =>
          this.file.keys(container).includes(counter) ? [`${container}/${counter}`] : [],
        ),
      );
    }
    return places[0];
  }
}
