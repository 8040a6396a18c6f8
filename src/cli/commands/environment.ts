import type {Command} from 'commander';
import {doctor, setupEngine} from '../../setup';
import {installKernel, kernelStatus, uninstallKernel, type KernelPlace} from '../../kernel';
import {print, withJson} from '../common';

/** `setup`, `doctor`, `kernel`: what the machine needs. */
export function addEnvironmentCommands(program: Command): void {
  withJson(program.command('setup'))
    .description(
      'install the native engine into a per-user cache; without a compiler or Python, say so and continue with WebAssembly',
    )
    .option('--force', 'install again')
    .action(async (options: {force?: boolean; json?: boolean}) =>
      print(await setupEngine({force: options.force}), options.json),
    );

  withJson(program.command('doctor'))
    .description('what this machine has, which engine is used and why')
    .action(async (options: {json?: boolean}) => {
      const [diagnosis, kernel] = [await doctor(), kernelStatus()];
      if (options.json) return print({...diagnosis, kernel}, true);
      const text = String(diagnosis);
      const column = text.indexOf(diagnosis.node);
      const state = kernel.installed
        ? [`registered in ${kernel.folder}`, ...kernel.problems]
        : ['not registered; "npx unweave kernel install" does it'];
      const lines = state.map((line, i) => (i === 0 ? 'unweave kernel' : '').padEnd(column) + line);
      print([text, ...lines].join('\n'), false);
    });

  const kernel = program.command('kernel').description('the Jupyter kernel "TypeScript (unweave)"');
  const places = (command: Command) =>
    command
      .option('--user', 'for the current user (the default)')
      .option('--sys-prefix', 'into the prefix of the Python on the path, e.g. of an active virtual environment')
      .option('--prefix <folder>', 'into share/jupyter/kernels of a folder')
      .option('--python <path>', 'the Python that --sys-prefix asks');
  places(kernel.command('install'))
    .description('register the kernel with Jupyter')
    .action((place: KernelPlace) =>
      print(`kernel "TypeScript (unweave)" registered in ${installKernel(place)}`, false),
    );
  places(kernel.command('uninstall'))
    .description('remove it')
    .action((place: KernelPlace) => {
      const folder = uninstallKernel(place);
      print(folder ? `removed ${folder}` : 'the kernel is not registered there', false);
    });
}
