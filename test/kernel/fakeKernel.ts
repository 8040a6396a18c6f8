import type {DisplayData, DisplayWriter, JupyterModule} from '../../src/report/display/tslab';

const FILE = '/nowhere/tslab/dist/jupyter.js';

/** Outputs of one cell, in the order in which they were written. */
export interface FakeCell {
  outputs: (DisplayData & {update: boolean})[];
}

/** Pretends that this process is a tslab kernel, of which only the writing of outputs is there. */
export function fakeKernel(): {runCell(): FakeCell; stop(): void} {
  const jupyter: Pick<JupyterModule, 'lastWriteDisplayData'> = {lastWriteDisplayData: null};
  require.cache[FILE] = {exports: jupyter} as NodeJS.Module;
  return {
    runCell() {
      const cell: FakeCell = {outputs: []};
      const write: DisplayWriter = (content, update) => void cell.outputs.push({...content, update});
      jupyter.lastWriteDisplayData = write;
      return cell;
    },
    stop() {
      delete require.cache[FILE];
    },
  };
}
