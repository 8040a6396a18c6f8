#!/usr/bin/env node
import {Command} from 'commander';
import {packageVersion} from '../files/packageVersion';
import {InputError, InterruptError} from '../common/errors';
import {setDefaultProgress} from '../common/progress';
import {asFlag, nameOptions} from '../common/options';
import {addAnalysisCommands, addExploreCommand} from './commands/analysis';
import {addBenchmarkCommand} from './commands/benchmark';
import {addCollectCommands} from './commands/collect';
import {addDemoCommand} from './commands/demo';
import {addDiscoverCommand} from './commands/discover';
import {addEnvironmentCommands} from './commands/environment';
import {addExportCommand} from './commands/exporting';
import {addPaperCommand} from './commands/paper';
import {addSplittingCommands} from './commands/splitting';
import {terminalProgress} from './progress';

/** Exit codes: 0 for success alone, 1 for an error; 130 for Ctrl-C, 143 for SIGTERM and 129 for SIGHUP, as shells count them. */
const STOPPED_BY: Readonly<Record<string, number>> = {SIGTERM: 143, SIGHUP: 129};

async function main(): Promise<void> {
  setDefaultProgress(terminalProgress);
  nameOptions(asFlag);
  const program = new Command('unweave')
    .description('Find channels of a convolutional network that mean several things, and pull the meanings apart.')
    .version(packageVersion())
    .showHelpAfterError('(unweave <command> --help lists its options)');
  addAnalysisCommands(program);
  addCollectCommands(program);
  addExploreCommand(program);
  addDiscoverCommand(program);
  addSplittingCommands(program);
  addExportCommand(program);
  addDemoCommand(program);
  addPaperCommand(program);
  addBenchmarkCommand(program);
  addEnvironmentCommands(program);
  await program.parseAsync();
}

main().catch((error: Error) => {
  const known = error instanceof InputError || error instanceof InterruptError;
  process.stderr.write(
    known ? `unweave: ${error.message}\n` : `unweave: unexpected error: ${error.stack ?? error.message}\n`,
  );
  process.exitCode = error instanceof InterruptError ? (STOPPED_BY[error.signal ?? ''] ?? 130) : 1;
});
