import {openRows} from '../files/resultRows';
import {parseLine} from './rowSchema';
import type {NegativeRow, PlantRow} from './types';

/** What has been measured so far, kept in a folder (see `openRows`) with a line for each plant and tier. */
export interface ResultStore {
  rows: PlantRow[];
  negatives: NegativeRow[];
  /** Plants whose negatives are done. */
  negativesDone: Set<number>;
  addRow(row: PlantRow): Promise<void>;
  addNegatives(plant: number, rows: NegativeRow[]): Promise<void>;
}

/** 2 since each row has its checksum. */
const FORMAT = {format: 'unweave planted benchmark', formatVersion: 2};

/**
 * Opens what a run with the same parameters has left in the folder, which nobody else writes to, or begins anew; without a folder,
 * nothing is kept.
 * @param force begin anew, whatever the folder holds
 * @throws InputError for a folder with something else, or of a run with other parameters, unless `force`
 */
export async function openResults(
  folder: string | undefined,
  parameters: Readonly<Record<string, unknown>>,
  force = false,
): Promise<ResultStore> {
  const kept = await openRows(folder, FORMAT, parameters, force);
  const store: ResultStore = {
    rows: [],
    negatives: [],
    negativesDone: new Set(),
    async addRow(row) {
      this.rows.push(row);
      await kept.append({row});
    },
    async addNegatives(plant, negatives) {
      this.negatives.push(...negatives);
      this.negativesDone.add(plant);
      await kept.append({plant, negatives});
    },
  };
  for (const line of kept.lines) {
    const read = parseLine(line, kept.file!);
    if ('row' in read) store.rows.push(read.row);
    else {
      store.negatives.push(...read.negatives);
      store.negativesDone.add(read.plant);
    }
  }
  return store;
}
