import type {Preset} from '../images/types';
import type {Graph} from '../network/graph';

/** What a file says of a network. */
export interface ReadNetwork {
  graph: Graph;
  /** The preprocessing that the network was trained with, where the file tells. */
  preset?: Preset;
  classNames?: readonly string[];
  /** Hashes of the models that this one was split from, oldest first. */
  origins?: readonly string[];
  /** The hash that unweave recorded when it saved the network: what was read has to have it. */
  hash?: string;
  /** What the hash was made of; absent for unweave 0.1. */
  hashVersion?: number;
  /** Sentences for the user: what was read otherwise than it is written, or left out. */
  notes?: readonly string[];
}

export interface ReadOptions {
  /** [height, width] of the images, for a network that takes any size. */
  inputSize?: readonly [number, number];
  /** Name of the output with the classes, for a network of several. */
  output?: string;
}
