import * as v from 'valibot';
import {InputError} from '../../common/errors';
import {isRecord} from '../../common/isRecord';
import {sha256} from '../../files/checksum';
import {resolvePreset} from '../../images/presets';
import type {Preset} from '../../images/types';
import type {GraphNode} from '../../network/graph';
import type {Expressed} from './write';

/** Of what unweave keeps in a model.json's `userDefinedMetadata`. 1, of unweave 0.1, had no such field. */
export const FORMAT_VERSION = 2;

/** What unweave keeps in a saved model.json's `userDefinedMetadata`. */
export interface Metadata {
  formatVersion: number;
  preset?: Preset;
  classNames?: string[];
  origins?: string[];
  /** The model's hash, and the version of what it is made of. */
  hash?: string;
  hashVersion?: number;
  /** Checksums of the description and of the weight file as they were written. */
  sha256?: {topology: string; weights: string};
  marks: Record<string, NonNullable<GraphNode['mark']>>;
  expressed: Expressed[];
  names: Record<string, string>;
}

const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const sizes = v.array(v.pipe(v.number(), v.integer(), v.minValue(0)));
const stored = v.union([
  v.strictObject({
    name: v.string(),
    shape: sizes,
    layer: v.string(),
    weight: v.string(),
    form: v.picklist(['same', 'blocks', 'spread']),
  }),
  v.strictObject({name: v.string(), shape: sizes, values: v.array(v.number())}),
]);
const SCHEMA = v.object({
  formatVersion: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
  preset: v.optional(v.record(v.string(), v.unknown())),
  classNames: v.optional(v.array(v.string())),
  origins: v.optional(v.array(hex)),
  hash: v.optional(hex),
  hashVersion: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  sha256: v.optional(v.strictObject({topology: hex, weights: hex})),
  marks: v.optional(
    v.record(
      v.string(),
      v.strictObject({
        kind: v.picklist(['merge', 'shortcut', 'activation', 'padding', 'generated']),
        of: v.optional(v.string()),
      }),
    ),
    {},
  ),
  expressed: v.optional(
    v.array(
      v.strictObject({
        node: v.string(),
        operator: v.string(),
        args: v.record(v.string(), v.unknown()),
        inputs: v.array(v.string()),
        layers: v.pipe(v.array(v.string()), v.minLength(1)),
        weights: v.array(stored),
      }),
    ),
    [],
  ),
  names: v.optional(v.record(v.string(), v.string()), {}),
});

/**
 * What unweave recorded in a model.json that it wrote; of one that another program wrote since (tfjs keeps the metadata of what it
 * loads), only the preset and the class names, for its weights may be new.
 * @throws InputError where it is damaged, or of a later version
 */
export function readMetadata(json: Readonly<Record<string, unknown>>, file: string): Metadata | undefined {
  const user = json.userDefinedMetadata;
  const raw = isRecord(user) ? user.unweave : undefined;
  if (raw === undefined) return undefined;
  const parsed = v.safeParse(SCHEMA, raw);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const where = v.getDotPath(issue) ?? 'it';
    throw new InputError(
      `"${file}" is damaged: ${where.slice(0, 80)} in its userDefinedMetadata.unweave is not valid (${issue.message.slice(0, 120)}); save the model again`,
    );
  }
  const {preset, ...others} = parsed.output;
  if (others.formatVersion > FORMAT_VERSION) {
    throw new InputError(
      `"${file}" was saved by a later version of unweave (format ${others.formatVersion}, this one reads up to ${FORMAT_VERSION}); update unweave`,
    );
  }
  const known: Metadata = {...others, preset: preset && resolvePreset(preset as unknown as Preset)};
  if (json.generatedBy === 'unweave') return known;
  const {classNames, formatVersion} = known;
  return {formatVersion, classNames, preset: known.preset, marks: {}, expressed: [], names: {}};
}

/** The checksum of a description, as it is parsed: spaces do not count. */
export const topologyChecksum = (modelTopology: unknown) => sha256(JSON.stringify(modelTopology));
