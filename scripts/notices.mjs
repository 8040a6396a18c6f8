// Writes NOTICES.md: the licences of the packages that are installed with this one, for every platform, and of what `unweave setup`
// installs, from the lock files. `--check` says whether it is as they say.
//   node scripts/notices.mjs [--check]
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...names) => path.join(root, ...names);

/** What a package's own words mean, where they point to a file. */
const SPELT_OUT = {
  'dejavu-fonts-ttf': 'Bitstream Vera and Arev licence (free, fonts may not be sold by themselves)',
  'png-js': 'MIT (its LICENSE; its package.json does not say)',
  h5wasm: 'NIST public-domain notice; HDF5 inside it: BSD-style (The HDF Group)',
};

/** Licences that ask more of who passes the software on than to keep the notice. */
const COPYLEFT = /LGPL|GPL|MPL|EPL|CDDL/;

const WORDS = [
  [
    /^@img\/sharp-(libvips|wasm32|win32)/,
    'libvips and the libraries in it, as shared libraries that may be replaced by others; their sources: github.com/libvips/libvips, github.com/lovell/sharp-libvips',
  ],
  [/^@resvg\//, 'resvg as a compiled library, unchanged; its source: github.com/yisibl/resvg-js'],
  [
    /^zeromq$/,
    'libzmq as a compiled library, unchanged; its source: github.com/zeromq/zeromq.js, github.com/zeromq/libzmq',
  ],
];

function packagesOf(file) {
  const {packages} = JSON.parse(readFileSync(at(file), 'utf8'));
  const found = new Map();
  for (const [place, {version, license, dev, devOptional}] of Object.entries(packages)) {
    if (place === '' || dev || devOptional) continue;
    const name = place.replace(/^.*node_modules\//, '');
    const {licences, versions} = found.get(name) ?? {licences: new Set(), versions: new Set()};
    found.set(name, {
      licences: licences.add(SPELT_OUT[name] ?? license ?? 'not said'),
      versions: versions.add(version),
    });
  }
  return [...found]
    .map(([name, {licences, versions}]) => ({
      name,
      licence: [...licences].sort().join('; '),
      versions: [...versions].sort().join(', '),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** The text of NOTICES.md. */
export function notices() {
  const own = packagesOf('package-lock.json');
  const engine = packagesOf('src/setup/enginePackages.json').filter(
    ({name, versions}) => !own.some((one) => one.name === name && one.versions === versions),
  );
  const rows = (packages) => packages.map(({name, versions, licence}) => [name, versions, licence]);
  const asking = own.filter(({licence}) => COPYLEFT.test(licence));
  return `# Licences of what is installed with unweave

Made by \`npm run notices\` from the lock files; \`npm test\` says when it is not up to date. unweave itself is Apache-2.0 (LICENSE). It contains none of these packages: npm installs each from its own place, with its own licence file. What a report page carries of them is named in the page, and in dist/explore/LICENSES.txt.

## Licences that ask for more than their notice

${table(
  ['package', 'version', 'licence', 'what it is'],
  asking.map(({name, versions, licence}) => [
    name,
    versions,
    licence,
    WORDS.find(([pattern]) => pattern.test(name))?.[1] ?? 'unchanged',
  ]),
)}

The texts: LGPL-3.0 <https://www.gnu.org/licenses/lgpl-3.0.html>, MPL-2.0 <https://www.mozilla.org/MPL/2.0/>.

## All packages

Those of other platforms (\`@img/…\`, \`@resvg/…\`) are installed on those alone.

${table(['package', 'version', 'licence'], rows(own))}

## Installed by \`unweave setup\` alone, into the cache

TensorFlow's own library (Apache-2.0) comes with them.

${table(['package', 'version', 'licence'], rows(engine))}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = at('NOTICES.md');
  if (!process.argv.includes('--check')) writeFileSync(file, notices());
  else if (readFileSync(file, 'utf8') !== notices()) {
    console.error('NOTICES.md is not up to date; run npm run notices');
    process.exitCode = 1;
  }
}
