import {parse} from 'csv-parse/sync';
import {InputError} from '../common/errors';
import {printableName} from '../common/printable';
import {readTextFile} from '../files/regularFile';

/** What others say that channels stand for, beside what the classes say. */
export interface ChannelDescriptions {
  readonly kind: 'channel descriptions';
  /** The file that they are from. */
  source: string;
  /** Layers that are described, in the file's order. */
  layers: string[];
  /** Number of descriptions. */
  count: number;
  /**
   * The description of a channel. Where the layer is in the file under the name of the block that it ends, such as `layer4` for
   * `layer4.2.conv3`, that block's unit of the same number.
   */
  of(layer: string, channel: number): string | undefined;
  toString(): string;
}

const MAX_FILE_BYTES = 2 ** 26;
const LONGEST = 120;

/**
 * Reads descriptions of channels: CSV with the columns `layer`, `unit` and `description` in any order, others left aside, as CLIP-Dissect
 * (Oikarinen and Weng 2023) and MILAN (Hernandez et al. 2022) publish them. Several descriptions of a unit are joined.
 * @throws InputError where the file cannot be read, lacks a column or has a unit that is no whole number
 */
export function channelDescriptions(file: string): ChannelDescriptions {
  const rows = rowsOf(file);
  const found = new Map<string, Map<number, string>>();
  rows.forEach(({layer, unit, description}, at) => {
    if (!/^\s*\d+\s*$/.test(unit))
      throw new InputError(
        `invalid descriptions ${file}: row ${at + 2} has unit "${printableName(unit, 40)}"; a unit is a channel's number from 0`,
      );
    const name = printableName(layer.trim());
    const units = found.get(name) ?? new Map<number, string>();
    const before = units.get(Number(unit));
    const said = printableName(description.trim(), LONGEST);
    units.set(Number(unit), before === undefined ? said : `${before}; ${said}`);
    found.set(name, units);
  });
  const layers = [...found.keys()];
  const named = (layer: string) =>
    layers.includes(layer)
      ? layer
      : layers.filter((one) => layer.startsWith(`${one}.`)).reduce((a, b) => (b.length > a.length ? b : a), '');
  const count = [...found.values()].reduce((sum, units) => sum + units.size, 0);
  return {
    kind: 'channel descriptions',
    source: file,
    layers,
    count,
    of: (layer, channel) => found.get(named(layer))?.get(channel),
    toString: () => `descriptions of ${count} channels of ${layers.join(', ')} from ${file}`,
  };
}

function rowsOf(file: string): {layer: string; unit: string; description: string}[] {
  let records: Record<string, string>[];
  try {
    const columns = (names: string[]) => names.map((name) => name.trim().toLowerCase());
    const text = readTextFile(file, MAX_FILE_BYTES);
    records = parse(text, {columns, bom: true, skip_empty_lines: true, relax_column_count: true});
  } catch (error) {
    throw new InputError(`cannot read the descriptions ${file}: ${(error as Error).message}`);
  }
  if (records.length === 0) throw new InputError(`no descriptions in ${file}; give rows of layer,unit,description`);
  const missing = ['layer', 'unit', 'description'].filter((name) => records[0][name] === undefined);
  if (missing.length > 0) {
    const there = Object.keys(records[0]).map((name) => printableName(name, 40));
    throw new InputError(
      `invalid descriptions ${file}: no column ${missing.join(', ')}; it has ${there.join(', ')}, and layer, unit and description are needed`,
    );
  }
  return records.map(({layer = '', unit = '', description = ''}) => ({layer, unit, description}));
}
