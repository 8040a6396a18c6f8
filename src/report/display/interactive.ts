import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {gzipSync} from 'node:zlib';
import {kernelState} from './state';
import {uniqueId, type Bundle} from './bundle';
import {html, scriptJson, trusted, type Html} from './html';

/** A browser library that a page gets inside, in the form that Node and AMD loaders know as UMD. */
export interface Library {
  /** Names the library and its version on the page. */
  name: string;
  /** Its source. */
  code(): string;
}

export const VEGA: Library = packageLibrary('vega', 'vega/build/vega.min.js');
export const PLOTLY: Library = packageLibrary('plotly.js-dist-min', 'plotly.js-dist-min/plotly.min.js');

export interface InteractiveOptions {
  /**
   * Source of a JavaScript function `(root, data, ...libraries) => void`, asynchronous or not: it fills the element
   * `root`. It sees nothing of the kernel.
   */
  script: string;
  /** What the function is given, as JSON. */
  data: unknown;
  /** Shown until the function has run, and for good where scripts do not run: the same content, at rest. */
  fallback: Html;
  /** Shown where there is no HTML. */
  text: string;
  /** Given to the function as the values they export. @default [] */
  libraries?: readonly Library[];
}

/** HTML that runs in the page, with a still picture inside for front ends that remove scripts. */
export function interactiveBundle(options: InteractiveOptions): Bundle {
  const carried = (options.libraries ?? []).filter(({name}) => mustCarry(name));
  return {data: {'text/html': interactiveHtml(options, carried).html, 'text/plain': options.text}};
}

/** The markup of an interactive view that carries the code of `carried`, by default of all its libraries. */
export function interactiveHtml(
  {script, data, fallback, libraries = []}: InteractiveOptions,
  carried: readonly Library[] = libraries,
): Html {
  const names = libraries.map(({name}) => name);
  const id = uniqueId();
  const run = `<script>(${RUN})("${id}", ${scriptJson(names)}, ${scriptJson(data)}, ${inScript(script)})</script>`;
  return html`<div id="${id}">
    <div>${fallback}</div>
    <div></div>
    ${carried.map(libraryHtml)}${trusted(run)}
  </div>`;
}

/**
 * The code of a library for the page, compressed, and evaluated out of reach of the page's own module loaders. It is kept
 * as a promise of the library's exports in `window.__unweave[name]`.
 */
function libraryHtml({name, code}: Library): Html {
  const packed = gzipSync(code(), {level: 9}).toString('base64');
  return trusted(`<script>(${LOAD})(${scriptJson(name)}, "${packed}")</script>`);
}

const LOAD = `(name, packed) => {
  (window.__unweave ??= {})[name] ??= (async () => {
    const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const module = {exports: {}};
    new Function("module", "exports", "define", "require", await new Response(stream).text())(module, module.exports);
    return module.exports;
  })();
}`;

// An output that is shown twice has its id twice: the script looks around itself first.
const RUN = `async (id, names, data, fill) => {
  const around = document.currentScript?.parentElement;
  const [still, live] = (around?.id === id ? around : document.getElementById(id)).children;
  const library = async (name) => {
    for (let i = 0; i < 300 && !window.__unweave?.[name]; i++) await new Promise((done) => setTimeout(done, 100));
    if (!window.__unweave?.[name]) throw new Error(name + " is not in this page; run all cells again");
    return window.__unweave[name];
  };
  try {
    await fill(live, data, ...(await Promise.all(names.map(library))));
    still.remove();
  } catch (error) {
    live.textContent = "This view stands still: " + error.message;
  }
}`;

/** Whether the running cell carries the library: the first that needs it does, and the same cell when it runs again. */
function mustCarry(name: string): boolean {
  const {cell, carriers} = kernelState();
  if (!carriers.has(name)) carriers.set(name, cell);
  else if (cell === undefined || carriers.get(name) !== cell) return false;
  return true;
}

/** Source that may stand inside a script element: `</script` and `<!--` would end or comment it. */
function inScript(source: string): string {
  return source.replace(/<(?=\/script|!--)/gi, '\\x3c');
}

function packageLibrary(name: string, file: string): Library {
  const {resolve} = createRequire(__filename);
  return {name, code: () => readFileSync(resolve(file), 'utf8')};
}
