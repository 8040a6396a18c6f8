import assert from 'node:assert/strict';
import {inspect} from 'node:util';
import {test} from 'node:test';
import fc from 'fast-check';
import {
  bundleSize,
  captureDisplay,
  emit,
  html,
  imageBundle,
  interactiveBundle,
  isNotebook,
  printErrorsShortly,
  redirectDisplay,
  showErrorsShortly,
  tableBundle,
  tableText,
  textBundle,
  toBundle,
  VEGA,
  type Bundle,
} from '../../src/report/display';
import {kernelState} from '../../src/report/display/state';
import {InputError} from '../../src/common/errors';
import {fakeKernel} from '../kernel/fakeKernel';

const NASTY = ['<script>alert(1)</script>', `"quoted" & 'single'`, '👩‍🚀 emoji', 'שלום (1)', '</bdi><b>', '\u202eevil'];

test('outside a notebook nothing is shown and nothing fails', () => {
  assert.equal(isNotebook(), false);
  assert.equal(emit(textBundle('hello')), false);
});

test('an output that comes late goes to the cell that it was made in', (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const first = kernel.runCell();
  const display = captureDisplay();
  const second = kernel.runCell();
  assert.equal(isNotebook(), true);
  assert.equal(display(textBundle('late')), true);
  assert.equal(emit(textBundle('now'), {displayId: 'x'}), true);
  assert.deepEqual(
    first.outputs.map(({data}) => data['text/plain']),
    ['late'],
  );
  assert.deepEqual(
    second.outputs.map(({data, transient}) => [data['text/plain'], transient.display_id]),
    [['now', 'x']],
  );
});

test('outputs of a function can be sent elsewhere, those after an await included', async (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const cell = kernel.runCell();
  const caught: unknown[] = [];
  await redirectDisplay(
    (bundle) => caught.push(bundle.data['text/plain']) > 0,
    async () => {
      emit(textBundle('a'));
      await new Promise((done) => setImmediate(done));
      emit(textBundle('b'));
    },
  );
  assert.deepEqual(caught, ['a', 'b']);
  assert.equal(cell.outputs.length, 0);
});

test('a table shows any text as text, kept apart from its surroundings', () => {
  const {data} = tableBundle(
    ['class', 'n'],
    NASTY.map((name, i) => [name, i]),
    {caption: NASTY[0]},
  );
  const markup = String(data['text/html']);
  assert.doesNotMatch(markup, /<script|<b>/);
  for (const name of NASTY) {
    const escaped = html`${name}`.html;
    assert.ok(markup.includes(`<bdi dir="auto">${escaped}</bdi>`), name);
    assert.ok(String(data['text/plain']).includes(name), name);
  }
});

test('escaping keeps every character of a text and no markup', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const {html: markup} = html`${text}`;
      assert.doesNotMatch(markup, /[<>"']/);
      const back = markup
        .replace(/&lt;/g, '<')
        .replace(/&gt;/g, '>')
        .replace(/&quot;/g, '"')
        .replace(/&#39;/g, "'");
      assert.equal(back.replace(/&amp;/g, '&'), text);
    }),
  );
});

test('a table has a sensible text for missing, endless and undefined numbers, and for no rows', () => {
  const text = tableText(['v'], [[NaN], [Infinity], [null], [undefined], [-0.00001234], [1234567], [0.123456], [true]]);
  assert.deepEqual(
    text.split('\n').map((line) => line.trim()),
    ['v', '–', '∞', '–', '–', '−1.23e−5', '1,234,567', '0.123', 'yes'],
  );
  assert.match(tableText(['v'], []), /no rows/);
});

test('a long table shows its first rows and counts the others', () => {
  const {data} = tableBundle(
    ['n'],
    Array.from({length: 1200}, (_, i) => [i]),
    {limit: 20},
  );
  assert.match(String(data['text/html']), /and 1,180 more rows/);
  assert.equal(String(data['text/html']).match(/<tr/g)?.length, 21);
});

test('an interactive view carries its still picture and its data, and nothing in it ends the script', () => {
  const {data} = interactiveBundle({
    script: '(root, data) => { root.textContent = "</script><!--" + data.name; }',
    data: {name: '</script><img src=x onerror=alert(1)>'},
    fallback: html`<b>${'still'}</b>`,
    text: 'view',
  });
  const markup = String(data['text/html']);
  assert.equal(markup.match(/<\/script/gi)?.length, 1);
  assert.doesNotMatch(markup, /<!--|<img/);
  assert.match(markup, /<b>still<\/b>/);
  assert.equal(data['text/plain'], 'view');
});

test('a library is put into a notebook once, and again by the cell that carries it', (t) => {
  const state = kernelState();
  t.after(() => (state.cell = undefined));
  const library = {name: 'tiny-1', code: () => 'exports.answer = 42'};
  const carries = (cell: string): boolean => {
    state.cell = cell;
    const view = {script: '() => {}', data: 1, fallback: html``, text: '', libraries: [library]};
    return /DecompressionStream/.test(String(interactiveBundle(view).data['text/html']));
  };
  assert.deepEqual(['a', 'b', 'b', 'a', 'c'].map(carries), [true, false, false, true, false]);
});

test('Vega costs a page less than 300 KB', () => {
  const view = {script: '() => {}', data: 1, fallback: html``, text: '', libraries: [VEGA]};
  assert.ok(bundleSize(interactiveBundle(view)) < 300_000);
});

test('a picture of one kind is shown as such, others inside HTML', () => {
  const bytes = new Uint8Array([1, 2, 3]);
  assert.deepEqual(Object.keys(imageBundle(bytes, {alt: 'x', width: 3}).data), ['image/png', 'text/plain']);
  const {data} = imageBundle(bytes, {alt: '"><b>', type: 'image/webp'});
  assert.match(String(data['text/html']), /^<img alt="&quot;&gt;&lt;b&gt;" .*src="data:image\/webp;base64,AQID" \/>$/);
});

test('anything becomes a bundle', () => {
  const types = (value: unknown): string[] => Object.keys(toBundle(value).data);
  const bundle: Bundle = {data: {'text/plain': 'x'}};
  assert.equal(toBundle(bundle), bundle);
  assert.deepEqual(types(html`<b>x</b>`), ['text/html', 'text/plain']);
  assert.deepEqual(types({data: [{y: [1, 2]}]}), ['application/vnd.plotly.v1+json', 'text/html', 'text/plain']);
  assert.match(String(toBundle({odd: NaN, data: {a: 1}}).data['text/plain']), /odd: NaN/);
  assert.match(String(toBundle('<b>').data['text/html']), /&lt;b&gt;/);
});

test('an error that the user can mend is printed without its stack', () => {
  showErrorsShortly();
  assert.equal(inspect(new InputError('no layer "x"; layers: a, b')), 'InputError: no layer "x"; layers: a, b');
  assert.match(inspect(new Error('bug')), /at /);
});

test('a shorthand property that sees no variable of an earlier cell is told what to write', () => {
  const printed: unknown[][] = [];
  const console = {error: (...values: unknown[]) => void printed.push(values)};
  printErrorsShortly(console);
  const error = () => new ReferenceError('concepts is not defined');
  const state = kernelState();
  for (const code of [
    'await uw.disentangle(model, stats, {channel: 3, concepts})',
    'f({ concepts })',
    'f({concepts, rho: 1})',
  ]) {
    state.code = code;
    console.error(error());
    assert.match(
      String(printed.pop()),
      /^In a tslab cell a shorthand property does not see variables of earlier cells: write \{concepts: concepts\} instead of \{concepts\}\.\nReferenceError: concepts is not defined\n/,
    );
  }
  for (const code of ['show(concepts)', 'f({list: concepts})', undefined]) {
    state.code = code;
    console.error(error());
    assert.match(String(printed.pop()), /^ReferenceError: concepts is not defined\n/);
  }
});

test('what a kernel prints of an error is a few lines', () => {
  const printed: unknown[][] = [];
  const console = {error: (...values: unknown[]) => void printed.push(values)};
  printErrorsShortly(console);
  printErrorsShortly(console);
  const deep = (depth: number): never => {
    if (depth > 0) return deep(depth - 1);
    throw Object.assign(new TypeError('x is not a function'), {code: 'E'});
  };
  try {
    deep(20);
  } catch (error) {
    console.error(error);
  }
  console.error('UncaughtException:', new InputError('no layer "x"'));
  console.error(new Error('Interrupted asynchronously'));
  console.error('100 %s', 'text');
  const [[long], unexpected, [interrupted], others] = printed;
  assert.match(String(long), /^TypeError: x is not a function\n( {4}at .*\n){3}\{\n\s+code: 'E'\n\}$/);
  assert.deepEqual(unexpected, ['UncaughtException:', 'InputError: no layer "x"']);
  assert.match(String(interrupted), /^Interrupted: [^\n]*$/);
  assert.deepEqual(others, ['100 %s', 'text']);
});
