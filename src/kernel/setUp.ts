import {answerComms} from './comms/server';
import {offerPageLinks} from './comms/pageLink';
import {widgetHost} from './comms/widgets';
import {showErrorsShortly} from '../report/display/errors';
import {installNotebookProgress} from '../report/display/progress';
import {keepOutput} from './keepOutput';
import {isKnown, runningTslab} from '../report/display/tslab';
import {unknownTslab} from './unknownTslab';
import {watchCells} from './watchCells';

/**
 * Makes the package at home in a notebook: long calls show a bar, errors that the user can mend are shown without a stack.
 * A plain tslab kernel gets what the kernel of our own has from its start, as far as that can be had later: no lost output,
 * and comms from the next cell on. Does nothing outside a notebook; a tslab that is not known is left as it is.
 */
export function setUpNotebook(): boolean {
  const tslab = runningTslab();
  if (!tslab) return false;
  installNotebookProgress();
  showErrorsShortly();
  if (!isKnown(tslab.version)) {
    process.stderr.write(`${unknownTslab(tslab.version)}\n`);
    return true;
  }
  keepOutput(tslab);
  watchCells(tslab);
  widgetHost(answerComms(tslab));
  offerPageLinks();
  return true;
}
