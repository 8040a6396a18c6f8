import * as v from 'valibot';
import {InputError} from '../../common/errors';
import type {Graph} from '../../network/graph';
import {checkGraph} from '../../network/operators';
import type {ReadNetwork} from '../types';
import {readMetadata, topologyChecksum} from './metadata';
import {readManifest, readWeightFiles} from './weightFiles';
import type {WrittenModel} from './write';

/** The format of a model.json whose network is one that tfjs has no layers for. */
export const OWN_FORMAT = 'unweave-graph';

const names = v.array(v.string());
const SCHEMA = v.strictObject({
  nodes: v.array(
    v.strictObject({
      name: v.string(),
      operator: v.string(),
      args: v.record(v.string(), v.unknown()),
      inputs: names,
      weights: names,
      mark: v.optional(
        v.strictObject({
          kind: v.picklist(['merge', 'shortcut', 'activation', 'padding', 'generated']),
          of: v.optional(v.string()),
        }),
      ),
    }),
  ),
  inputs: names,
  outputs: names,
});

/** A graph node by node, in the files of a LayersModel. */
export function writeOwnGraph({nodes, inputs, outputs}: Graph): WrittenModel {
  const described = nodes.map((node) => ({...node, weights: node.weights.map(({name}) => name)}));
  const weights = nodes.flatMap((node) =>
    node.weights.map(({name, shape, data}) => ({
      name: `${node.name}/${name}`,
      shape: [...shape],
      dtype: 'float32' as const,
      data,
    })),
  );
  return {modelTopology: {nodes: described, inputs, outputs}, weights, expressed: [], names: {}, marks: {}, notes: []};
}

/** @throws InputError where it is damaged */
export async function readOwnGraphJson(json: Readonly<Record<string, unknown>>, file: string): Promise<ReadNetwork> {
  const metadata = readMetadata(json, file);
  const parsed = v.safeParse(SCHEMA, json.modelTopology);
  if (!parsed.success || metadata?.sha256?.topology !== topologyChecksum(json.modelTopology)) {
    throw new InputError(
      `"${file}" is damaged: its network is not the one that was saved; save it again, or copy it again`,
    );
  }
  const arrays = await readWeightFiles(readManifest(json.weightsManifest, file), file, metadata.sha256.weights);
  const byName = new Map(arrays.map((array) => [array.name, array]));
  const {nodes, inputs, outputs} = parsed.output;
  const graph: Graph = {
    inputs,
    outputs,
    nodes: nodes.map(({weights, ...node}) => ({
      ...node,
      weights: weights.map((name) => {
        const array = byName.get(`${node.name}/${name}`);
        if (!array)
          throw new InputError(`"${file}" is damaged: ${name} of "${node.name}" is missing; save the model again`);
        return {name, shape: [...array.shape], data: array.data()};
      }),
    })),
  };
  checkGraph(graph);
  const {preset, classNames, origins, hash, hashVersion} = metadata;
  return {graph, preset, classNames, origins, hash, hashVersion};
}
