import {answerComms} from '../comms/server';
import {widgetHost} from '../comms/widgets';
import {keepOutput} from './keepOutput';
import {isKnown, runningTslab} from './tslab';
import {watchCells} from './watchCells';

/**
 * Gives a plain tslab kernel what the kernel of our own has from its start, as far as that can be had later: no lost output,
 * and comms from the next cell on. Does nothing outside a notebook and in a tslab that is not known.
 */
export function setUpNotebook(): boolean {
  const tslab = runningTslab();
  if (!tslab || !isKnown(tslab.version)) return false;
  keepOutput(tslab);
  watchCells(tslab);
  widgetHost(answerComms(tslab));
  return true;
}
