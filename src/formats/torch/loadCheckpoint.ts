import {InputError} from '../../common/errors';
import {namesakesText} from '../../common/namesakes';
import {option} from '../../common/options';
import {printableName} from '../../common/printable';
import type {Graph} from '../../network/graph';
import {ARCHITECTURES, buildArchitecture, type Architecture} from '../architectures';
import {chooseFit, firstOf, inferArchitecture, stateName} from './chooseState';
import type {Fit} from './fit';
import type {LoadedWeight} from './loadTensors';
import {withCheckpoint, type Checkpoint} from './readCheckpoint';

export interface CheckpointOptions {
  /** One of `ARCHITECTURES`. @default the only one that the weights fit */
  arch?: string;
  /** Which state dict, where several fit, e.g. `state_dict_ema`. @default the weights rather than their running average */
  state?: string;
}

/**
 * Reads a PyTorch checkpoint as a known architecture. The state dict is the one dict and prefix under which every name of the
 * architecture exists in its shape, wherever it is nested; pruned weights (`weight_orig` × `weight_mask`) are multiplied out.
 * @returns the graph, its architecture, and sentences that say what was taken and what was left out
 * @throws InputError where the file cannot be read, or nothing or several things in it fit
 */
export async function loadCheckpoint(
  file: string,
  {arch, state}: CheckpointOptions = {},
): Promise<{graph: Graph; architecture: Architecture; notes: string[]}> {
  const named = arch === undefined ? undefined : architectureOf(arch);
  return withCheckpoint(file, async (checkpoint) => {
    const architecture = named ?? inferArchitecture(checkpoint);
    const {fit, others: alsoFit} = await chooseFit(checkpoint, architecture, state);
    const graph = buildArchitecture(architecture.name, await loadWeights(checkpoint, fit));
    const others = namesakesText(architecture.name);
    const inferred = named
      ? []
      : [`read as ${architecture.name}, the only known architecture that the weights fit${others && `; ${others}`}`];
    return {graph, architecture, notes: [...inferred, ...notesOf(fit, alsoFit)]};
  });
}

function architectureOf(name: string): Architecture {
  const found = ARCHITECTURES.find((candidate) => candidate.name === name);
  if (found) return found;
  const known = ARCHITECTURES.map((candidate) => candidate.name).join(', ');
  throw new InputError(`unknown architecture "${name}"; known are ${known}`);
}

async function loadWeights(checkpoint: Checkpoint, fit: Fit): Promise<Map<string, LoadedWeight>> {
  const wanted = [...fit.weights].flatMap(([key, {tensor, mask}]) =>
    mask
      ? ([
          [key, tensor],
          [`${key}_mask`, mask],
        ] as const)
      : ([[key, tensor]] as const),
  );
  const loaded = await checkpoint.load(await checkpoint.place(new Map(wanted)));
  for (const [key, {mask}] of fit.weights) {
    if (!mask) continue;
    const {shape, data} = loaded.get(key) as LoadedWeight;
    const kept = (loaded.get(`${key}_mask`) as LoadedWeight).data;
    loaded.set(key, {shape, data: data.map((value, i) => value * kept[i])});
    loaded.delete(`${key}_mask`);
  }
  return loaded;
}

function notesOf(fit: Fit, others: readonly Fit[]): string[] {
  const {state, prefix, head, weights, leftOut} = fit;
  const pruned = [...weights.values()].filter(({mask}) => mask).length;
  const taken = stateName(fit);
  return [
    state.path !== '' || prefix !== '' ? `weights taken from ${printableName(taken)}` : '',
    others.length > 0
      ? `${others.map((other) => printableName(stateName(other))).join(' and ')} would fit too; choose with ${option('state')}`
      : '',
    head !== undefined ? `the last layer is ${printableName(head)} of the checkpoint` : '',
    pruned > 0 ? `${pruned} pruned weights are multiplied by their masks` : '',
    leftOut.length > 0 ? `left out: ${firstOf(leftOut)}` : '',
  ].filter(Boolean);
}
