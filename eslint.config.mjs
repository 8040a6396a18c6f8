import js from '@eslint/js';
import ts from 'typescript-eslint';
import {importX} from 'eslint-plugin-import-x';
import {createTypeScriptImportResolver} from 'eslint-import-resolver-typescript';

/** Which rooms of src/ a room may import from, besides itself. Only index.ts and cli/ see everything. */
const MAY_IMPORT = {
  numerics: [],
  concepts: ['numerics'],
  plots: ['numerics', 'concepts'],
  backend: ['numerics'],
  images: ['numerics', 'backend'],
  models: ['numerics', 'backend', 'images'],
  relevance: ['numerics', 'backend', 'images', 'models'],
  split: ['numerics', 'backend', 'images', 'models', 'relevance', 'concepts'],
  evaluate: ['numerics', 'backend', 'images', 'models', 'relevance', 'concepts', 'split'],
  features: ['numerics', 'backend', 'images', 'models', 'relevance', 'concepts', 'split'],
  demo: ['numerics', 'backend', 'images', 'models'],
  notebook: [
    'numerics',
    'backend',
    'images',
    'models',
    'relevance',
    'concepts',
    'split',
    'evaluate',
    'features',
    'plots',
  ],
};
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
