// Bundles the script of the explore panel for the browser, with the package's own functions: dist/explore/page.js, and beside it the
// licences of what is inside.
//   node scripts/bundle-explore.mjs
import {existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {build} from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Writes `page.js` and `LICENSES.txt` into a folder. Returns the files that went into the script, relative to the repository. */
export async function bundleExplore(folder = path.join(root, 'dist', 'explore')) {
  const {outputFiles, metafile} = await build({
    absWorkingDir: root,
    entryPoints: ['src/explore/page/main.ts'],
    bundle: true,
    minify: true,
    format: 'cjs',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    banner: {js: '/* unweave explore; its parts and their licences: dist/explore/LICENSES.txt of the package */'},
    // The same library in modules, of which only what is used goes into the script.
    alias: {'ml-matrix': path.join(root, 'node_modules/ml-matrix/src/index.js')},
    metafile: true,
    write: false,
    logLevel: 'error',
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  mkdirSync(folder, {recursive: true});
  replace(path.join(folder, 'page.js'), outputFiles[0].contents);
  replace(path.join(folder, 'LICENSES.txt'), licences(inputs));
  return inputs;
}

/** A reader never meets half a file. */
function replace(file, content) {
  const unfinished = `${file}.${process.pid}.tmp`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}

/** The licence of each package that the files are from. */
function licences(inputs) {
  const names = new Set(inputs.map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]).filter(Boolean));
  return [...names]
    .sort()
    .map((name) => {
      const folder = path.join(root, 'node_modules', name);
      const {version, license} = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      const text =
        file && existsSync(path.join(folder, file)) ? readFileSync(path.join(folder, file), 'utf8').trim() : '';
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(72)}\n\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await bundleExplore();
