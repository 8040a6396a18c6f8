/**
 * Loaded into the kernel's process before tslab (`node --require … tslab kernel …`): keeps output from being lost, prints
 * errors shortly, lets notebooks anywhere import the package, and answers comms. tslab's files stay as they are; where its
 * version is not one that was tried, everything is left alone.
 */
import {realpathSync} from 'node:fs';
import path from 'node:path';
import {isMainThread} from 'node:worker_threads';
import {answerComms} from './comms/server';
import {offerPageLinks} from './comms/pageLink';
import {widgetHost} from './comms/widgets';
import {printErrorsShortly} from '../report/display/errors';
import {keepOutput} from './keepOutput';
import {packageRoot} from './packages';
import {resolveAnywhere} from './resolveAnywhere';
import {isKnown, loadedTslabs, tslabVersion} from '../report/display/tslab';
import {unknownTslab} from './unknownTslab';
import {watchCells} from './watchCells';

if (isMainThread && process.argv[2] === 'kernel' && /^tslab(\.js)?$/.test(path.basename(process.argv[1] ?? ''))) {
  // Worker threads and forked processes inherit these arguments; they are no kernels.
  process.execArgv = [];
  const tslabFile = path.join(path.dirname(realpathSync(process.argv[1])), '..', 'dist', 'jupyter.js');
  if (stepsIn(tslabVersion(tslabFile))) {
    printErrorsShortly();
    resolveAnywhere({root: packageRoot(__dirname, 'unweave'), notebooks: process.cwd(), tslabFile});
  }
  // After tslab has loaded, which may have handed over to a copy beside the notebook, and before the first message.
  process.nextTick(() => {
    const copies = loadedTslabs();
    const tslab = copies.find(({file}) => file !== tslabFile) ?? copies[0];
    if (!tslab || !stepsIn(tslab.version)) return;
    keepOutput(tslab);
    watchCells(tslab);
    // From the start, since a page asks at once and waits four seconds for an answer.
    widgetHost(answerComms(tslab));
    offerPageLinks();
  });
}

function stepsIn(version: string): boolean {
  if (isKnown(version)) return true;
  process.stderr.write(`${unknownTslab(version)}\n`);
  return false;
}
