import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {redirectDisplay, type Bundle} from '../../src/report/display';
import {kernelState} from '../../src/report/display/state';
import {livePreview, show} from '../../src/report/show';
import {InputError} from '../../src/common/errors';
import {setTimeout as wait} from 'node:timers/promises';
import {manyResults, type ManyResults} from './showResults';
import {fakeKernel} from '../kernel/fakeKernel';

/** Markup without scripts and what is inside quotes: elements and text. */
const elements = (markup: string) => markup.replace(/<script>[\s\S]*?<\/script>/g, '').replace(/"[^"]*"/g, '""');

let many: ManyResults;
before(async () => {
  many = await manyResults();
});
after(() => many.dispose());

test('in a notebook, show returns nothing, keeps the order of outputs, and the cell can wait for them', async () => {
  const kernel = fakeKernel();
  try {
    const cell = kernel.runCell();
    const {images, model, results} = many;
    assert.equal(show(results['a proof']), undefined);
    assert.equal(cell.outputs.length, 1, 'what needs no reading is there at once');
    assert.equal(show(images, {model}), undefined);
    assert.equal(show('text after the images'), undefined);
    const next = kernel.runCell();
    await kernelState().showing;
    assert.deepEqual(
      cell.outputs.map(({data}) => String(data['text/plain']).split('\n')[0]),
      ['The network computes the same after the split', String(images), 'text after the images'],
    );
    assert.equal(next.outputs.length, 0);
    assert.equal(kernelState().showing, undefined);
  } finally {
    kernel.stop();
  }
});

test('an image that is being optimised is shown in place, and its last state gives way to the result where that is shown', async () => {
  const kernel = fakeKernel();
  try {
    const cell = kernel.runCell();
    const onStep = livePreview();
    const images = [{data: new Uint8Array(4 * 4 * 3), width: 4, height: 4}];
    for (const step of [0, 1, 2, 3]) onStep({step, steps: 3, value: step, images, text: '<b>dog</b>'});
    await kernelState().showing;
    assert.deepEqual(
      cell.outputs.map(({update}) => update),
      [false, true],
    );
    assert.equal(new Set(cell.outputs.map(({transient}) => transient.display_id)).size, 1);
    assert.equal(cell.outputs[1].data['text/plain'], '<b>dog</b>: 3 after 3 of 3 steps');
    assert.doesNotMatch(elements(String(cell.outputs[1].data['text/html'])), /<b>/);
    show(many.results['a visualisation']);
    await kernelState().showing;
    const [, , gone, result] = cell.outputs;
    assert.deepEqual([gone.update, gone.transient.display_id], [true, cell.outputs[0].transient.display_id]);
    assert.equal(gone.data['text/html'], '<span></span>');
    assert.ok(String(result.data['text/html']).includes('<img'));
    show(many.results['a visualisation']);
    await kernelState().showing;
    assert.equal(cell.outputs.length, 5, 'there is no preview any more');
  } finally {
    kernel.stop();
  }
});

test('what goes wrong while images are read is said in the cell', async () => {
  const kernel = fakeKernel();
  try {
    const cell = kernel.runCell();
    const {images} = many;
    const labelsFor = () => {
      throw new InputError('labels are unclear');
    };
    show({...images, labelsFor}, {model: many.model});
    show('next');
    await kernelState().showing;
    assert.deepEqual(
      cell.outputs.map(({data}) => data['text/plain']),
      ['could not be shown: labels are unclear', 'next'],
    );
  } finally {
    kernel.stop();
  }
});

test('outside a notebook show writes the text, and rejects where it fails', async () => {
  const written: string[] = [];
  process.env['UNWEAVE_FIGURES'] = 'none';
  const {write} = process.stdout;
  // Bytes are the test runner's own.
  process.stdout.write = ((text: string | Uint8Array) =>
    typeof text === 'string' ? written.push(text) > 0 : write.call(process.stdout, text)) as typeof write;
  try {
    await show(many.results['a proof']);
    await show(many.images, {model: many.model});
  } finally {
    process.stdout.write = write;
  }
  assert.match(written.join(''), /The network computes the same after the split[\s\S]*24 images/);
  const shown: Bundle[] = [];
  await redirectDisplay(
    (bundle) => shown.push(bundle) > 0,
    async () => {
      await show(many.images, {model: many.model});
      await wait(1);
    },
  );
  assert.equal(shown.length, 1);
});
