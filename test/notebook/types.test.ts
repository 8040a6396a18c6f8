import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
// The TypeScript that tslab compiles cells with; it has no types of its own under that name.
import ts from '@tslab/typescript-for-tslab';

const root = path.resolve(__dirname, '..', '..');
const cell = path.join(root, 'notebooks', 'cell.ts');

/** What the kernel's compiler says of a cell and of this package's declarations. */
function diagnose(source: string): string[] {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.CommonJS,
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
