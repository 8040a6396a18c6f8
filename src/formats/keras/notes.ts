import type {Topology} from './topology';
import type {WeightSource} from './weights';

/** Arrays beside the network: of the optimiser, of metrics, counters of training. */
const OF_TRAINING =
  /(^|\/)(optimizer_weights|optimizer|training|adam|rmsprop|sgd|metrics?)(\/|$)|(^|[/_])(count|iterations?|seed_generator_state|state_var|learning_rate|random_seed)(:\d+)?$/i;

/** What a reader says about the weights that it found. */
export function notesOf(weights: WeightSource, {outputs}: Topology): string[] {
  const notes: string[] = [];
  const byOrder = weights.byOrder();
  if (byOrder.length > 0) {
    notes.push(
      `the weights of ${listed(byOrder)} carry other names in the file and were taken by their order and shapes`,
    );
  }
  const unused = weights.unused().filter((name) => !OF_TRAINING.test(name));
  // What leads to the outputs that were not chosen is not needed either.
  if (unused.length > 0 && outputs.length === 1)
    notes.push(`arrays in the file that no layer needs were left out: ${listed(unused)}`);
  return notes;
}

const listed = (names: readonly string[]) =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
