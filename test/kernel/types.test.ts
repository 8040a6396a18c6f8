import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
// The TypeScript that tslab compiles cells with; it has no types of its own under that name.
import ts from '@tslab/typescript-for-tslab';

const root = path.resolve(__dirname, '..', '..');
const cell = path.join(root, 'notebooks', 'cell.ts');

/** What the kernel's compiler says of a cell and of this package's declarations. */
function diagnose(source: string): string[] {
  const options: ts.CompilerOptions = {
    // As in a cell, which may await.
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    esModuleInterop: true,
    resolveJsonModule: true,
    strict: false,
    noEmit: true,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules', '@types')],
  };
  const host = ts.createCompilerHost(options);
  const {readFile, fileExists, getSourceFile} = host;
  host.fileExists = (file) => file === cell || fileExists(file);
  host.readFile = (file) => (file === cell ? source : readFile(file));
  host.getSourceFile = (file, ...rest) =>
    file === cell ? ts.createSourceFile(file, source, ts.ScriptTarget.ES2022) : getSourceFile(file, ...rest);
  const program = ts.createProgram([cell], options, host);
  const ours = program
    .getSourceFiles()
    .filter(({fileName}) => fileName === cell || fileName.startsWith(path.join(root, 'dist')));
  return [
    ...program.getOptionsDiagnostics(),
    ...ours.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ].map(({file, messageText}) => `${file?.fileName ?? ''} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
}

test("the kernel's TypeScript understands every declaration of the package, without a browser's types", (t) => {
  if (!existsSync(path.join(root, 'dist', 'index.d.ts'))) return t.skip('the package is not built');
  assert.match(ts.version, /^5\.0\./);
  assert.deepEqual(
    diagnose("import * as uw from 'unweave'; export const choice: Promise<uw.BackendChoice> = uw.backend();"),
    [],
  );
});

test("a cell's mistake is found through the declarations", (t) => {
  if (!existsSync(path.join(root, 'dist', 'index.d.ts'))) return t.skip('the package is not built');
  const [first] = diagnose("import * as uw from 'unweave'; export const wrong: number = uw.backend();");
  assert.match(first ?? '', /Promise<BackendChoice>' is not assignable to type 'number'/);
});

test('the examples of controls and of saved figures are cells that compile', (t) => {
  const declarations = path.join(root, 'dist', 'kernel', 'comms', 'controls.d.ts');
  if (!existsSync(declarations)) return t.skip('the package is not built');
  const [, example] = /@example\n([\s\S]*?)\n \* @/.exec(readFileSync(declarations, 'utf8')) ?? [];
  assert.match(example ?? '', /controls\(/);
  const cell = `
    import {controls, demo, disentangle, collectRelevance, findPolysemantic, plots, slider} from 'unweave';
    const {model, train} = await demo();
    const stats = await collectRelevance(model, train, {layer: 'conv5'});
    const found = findPolysemantic(stats);
    ${example.replace(/^ \* ?/gm, '')}
    const file: string = await plots.rhoSweep(await disentangle(model, stats, found[0], {rho: 1})).save('rho.svg');
    export {file};`;
  assert.deepEqual(diagnose(cell), []);
  const [wrong] = diagnose(cell.replace("save('rho.svg')", "save('rho.svg', {limitt: 3})"));
  assert.match(wrong ?? '', /Expected 1 arguments/);
});
