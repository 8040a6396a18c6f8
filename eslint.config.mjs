import js from '@eslint/js';
import ts from 'typescript-eslint';
import {importX} from 'eslint-plugin-import-x';
import {createTypeScriptImportResolver} from 'eslint-import-resolver-typescript';

/** Which rooms of src/ a room may import from, besides itself. Only index.ts and cli/ see everything. */
const MAY_IMPORT = {
  common: [],
  numerics: ['common'],
  concepts: ['common', 'numerics'],
  plots: ['common', 'numerics', 'concepts'],
  files: ['common'],
  engine: ['common'],
  setup: ['common', 'files', 'engine'],
  images: ['common', 'files', 'engine'],
  network: ['common', 'numerics', 'files', 'engine', 'images'],
  formats: ['common', 'files', 'engine', 'images', 'network'],
  pass: ['common', 'numerics', 'files', 'engine', 'images', 'network'],
  relevance: ['common', 'numerics', 'files', 'engine', 'images', 'network', 'pass'],
  cluster: ['common', 'numerics', 'files', 'engine', 'relevance'],
  split: ['common', 'numerics', 'concepts', 'files', 'engine', 'images', 'network', 'formats', 'pass', 'relevance'],
};
MAY_IMPORT.evaluate = [...MAY_IMPORT.split, 'split'];
MAY_IMPORT.planted = [...MAY_IMPORT.evaluate, 'evaluate'];
MAY_IMPORT.known = [...MAY_IMPORT.evaluate, 'evaluate', 'demo'];
MAY_IMPORT.features = ['common', 'numerics', 'engine', 'images', 'network', 'split'];
MAY_IMPORT.demo = ['common', 'engine', 'images', 'network', 'formats'];
MAY_IMPORT.report = [...MAY_IMPORT.planted, 'planted', 'known', 'plots', 'features'];
MAY_IMPORT.explore = [...MAY_IMPORT.report, 'report'];
MAY_IMPORT.kernel = [...MAY_IMPORT.report, 'report'];
const rooms = Object.keys(MAY_IMPORT);
const zones = rooms.map((room) => ({
  target: `./src/${room}`,
  from: './src',
  except: [room, ...MAY_IMPORT[room]].map((name) => `./${name}`),
  message: `src/${room} may import only: ${MAY_IMPORT[room].join(', ') || 'itself'} (see CONTRIBUTING.md)`,
}));

export default ts.config(
  {ignores: ['.venv', '.cache', 'dist', 'node_modules', 'artefacts', 'notebooks', 'data', 'out']},
  js.configs.recommended,
  ...ts.configs.recommended,
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    plugins: {'import-x': importX},
    settings: {'import-x/resolver-next': [createTypeScriptImportResolver({project: 'tsconfig.check.json'})]},
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-restricted-paths': ['error', {zones}],
      'no-console': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      'max-lines': ['error', {max: 320, skipBlankLines: true, skipComments: true}],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/common/random.ts'],
    rules: {
      'no-restricted-imports': ['error', {name: 'pure-rand', message: 'common/random has the random generators'}],
    },
  },
  {files: ['src/cli/**/*.ts'], rules: {'no-console': 'off'}},
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        require: 'readonly',
        module: 'writable',
        URL: 'readonly',
        setTimeout: 'readonly',
        setImmediate: 'readonly',
        globalThis: 'readonly',
        Buffer: 'readonly',
      },
    },
    rules: {'@typescript-eslint/no-require-imports': 'off'},
  },
);
