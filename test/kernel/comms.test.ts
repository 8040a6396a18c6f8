import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {test} from 'node:test';
import fc from 'fast-check';
import {choice, controls, slider, toggle} from '../../src/kernel/comms';
import {emit, notebookProgress, textBundle} from '../../src/report/display';
import {startTask} from '../../src/common/progress';
import {bundleOf} from '../../src/report/show';
import {latestOnly} from '../../src/kernel/comms/latestOnly';
import {answerComms} from '../../src/kernel/comms/server';
import {widgetHost} from '../../src/kernel/comms/widgets';
import {createWire, type Message} from '../../src/kernel/comms/wire';
import type {JupyterModule, Server, Socket} from '../../src/report/display/tslab';
import {fakeKernel} from './fakeKernel';
import {manyResults} from '../report/showResults';

const KEY = 'secret';
const wire = createWire(KEY);

/** A page that speaks to a server of tslab's kind; `sent` is what it has heard, on both sockets. */
function fakePage() {
  const passed: string[] = [];
  class ZmqServer {
    connInfo = {key: KEY};
    iopub = socket();
    async handleShellMessage(_socket: Socket, ...raw: Buffer[]) {
      passed.push(wire.parse(raw)?.header.msg_type ?? 'unreadable');
    }
  }
  const sent: Message[] = [];
  function socket(): Socket {
    const send = (parts: (string | Buffer)[] | string | Buffer) => {
      sent.push(wire.parse([parts].flat().map((part) => Buffer.from(part))) as Message);
    };
    return {send, sendTimeout: 0, sendHighWaterMark: 0};
  }
  const jupyter = {ZmqServer} as unknown as JupyterModule;
  const comms = answerComms({jupyter, file: '', version: ''});
  const server = new ZmqServer() as unknown as Server & InstanceType<typeof ZmqServer>;
  const shell = socket();
  return {
    comms,
    host: widgetHost(comms),
    passed,
    sent,
    ask: (type: string, content: object) => {
      const frames = wire.frames(['page'], type, {content}).map((frame) => Buffer.from(frame));
      return server.handleShellMessage(shell, ...frames);
    },
    heard: (type: string) => sent.filter(({header}) => header.msg_type === type).map(({content}) => content),
  };
}

test('a signed message is read as it was written, another is not', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const content = {value: JSON.parse(JSON.stringify(value))};
      const frames = wire.frames([Buffer.from([0, 255])], 'x', {content}).map((frame) => Buffer.from(frame));
      assert.deepEqual(wire.parse([...frames, Buffer.from('buffer')])?.content, content);
      assert.equal(createWire('other').parse(frames), undefined);
    }),
  );
  const [, , signature, ...parts] = wire.frames(['id'], 'x', {content: {}});
  assert.equal(signature, createHmac('sha256', KEY).update(parts.join('')).digest('hex'));
  assert.equal(wire.parse([Buffer.from('nonsense')]), undefined);
});

test('messages that are no comms reach tslab, comms do not', async () => {
  const page = fakePage();
  await page.ask('execute_request', {code: '1'});
  await page.ask('comm_info_request', {target_name: 'jupyter.widget'});
  await page.ask('toString', {});
  assert.deepEqual(page.passed, ['execute_request', 'toString']);
  assert.deepEqual(page.heard('comm_info_reply'), [{status: 'ok', comms: {}}]);
  assert.deepEqual(page.heard('status'), [{execution_state: 'busy'}, {execution_state: 'idle'}]);
});

test('an answer carries the session of the one who asked', async () => {
  const page = fakePage();
  await page.ask('execute_request', {code: '1'});
  page.host.control('Checkbox', {value: true});
  const sessions = new Set(page.sent.map(({header}) => header.session));
  assert.equal(sessions.size, 1);
});

test('a page that closes comms that it does not know yet is told of them later', async () => {
  const page = fakePage();
  await page.ask('execute_request', {code: '1'});
  const {comm, state} = page.host.control('Checkbox', {value: true});
  await page.ask('comm_close', {comm_id: comm.id});
  await page.ask('comm_open', {comm_id: 'c', target_name: 'jupyter.widget.control', data: {}});
  await page.ask('comm_msg', {comm_id: 'c', data: {method: 'request_states'}});
  const {data} = page.heard('comm_msg').at(-1) as {data: {states: Record<string, {state: object}>}};
  assert.deepEqual(data.states[comm.id].state, state);
  await page.ask('comm_open', {comm_id: 'd', target_name: 'unknown', data: {}});
  assert.deepEqual(page.heard('comm_close').at(-1), {comm_id: 'd', data: {}});
});

test('a moved control runs the computation with its value, and replaces what was shown', async (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const cell = kernel.runCell();
  const page = fakePage();
  await page.ask('execute_request', {code: 'controls'});
  const seen: object[] = [];
  await controls({rho: slider(0, 1, {step: 0.1, value: 0.5}), kind: choice(['a', 'b']), on: toggle()}, (values) => {
    seen.push(values);
    if (values.rho > 0.8) throw new Error('too much <b>');
    return `rho ${values.rho}`;
  });
  kernel.runCell();
  const states = page.heard('comm_open').map(({comm_id, data}) => ({comm_id, ...(data as {state: object}).state})) as {
    comm_id: string;
    _model_name: string;
  }[];
  const id = states.find(({_model_name}) => _model_name === 'FloatSliderModel')?.comm_id;
  for (const value of [0.7, 0.9]) {
    await page.ask('comm_msg', {comm_id: id, data: {method: 'update', state: {value}}});
  }
  assert.deepEqual(seen, [
    {rho: 0.5, kind: 'a', on: false},
    {rho: 0.7, kind: 'a', on: false},
    {rho: 0.9, kind: 'a', on: false},
  ]);
  const [view, ...outputs] = cell.outputs;
  assert.deepEqual(Object.keys(view.data), ['application/vnd.jupyter.widget-view+json', 'text/html', 'text/plain']);
  assert.deepEqual(
    outputs.map(({data, update}) => [data['text/plain'], update]),
    [
      ['rho 0.5', false],
      ['rho 0.7', true],
      ['Error: too much <b>', true],
    ],
  );
  assert.equal(new Set(outputs.map(({transient}) => transient.display_id)).size, 1);
});

test('what a computation shows takes the places of what it showed before', async (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const cell = kernel.runCell();
  const page = fakePage();
  await page.ask('execute_request', {code: 'shows'});
  await controls({many: toggle(true)}, async ({many}) => {
    const progress = notebookProgress({now: () => 0});
    startTask({label: 'work', total: 1, unit: 'images'}, progress).finish('done');
    await new Promise((done) => setImmediate(done));
    emit(textBundle('first'));
    if (many) emit(textBundle('second'));
  });
  const before = cell.outputs.length;
  const id = page.heard('comm_open').find(({data}) => {
    return (data as {state: {_model_name: string}}).state._model_name === 'CheckboxModel';
  })?.comm_id;
  kernel.runCell();
  await page.ask('comm_msg', {comm_id: id, data: {method: 'update', state: {value: false}}});
  const places = (from: number, to?: number) => {
    return cell.outputs.slice(from, to).map(({transient}) => transient.display_id);
  };
  const [, bar, barAgain, first, second] = places(0, before);
  assert.equal(bar, barAgain);
  assert.equal(new Set([bar, first, second]).size, 3);
  assert.deepEqual(places(before), [bar, bar, first, second]);
  assert.deepEqual([cell.outputs.at(-1)?.update, cell.outputs.at(-1)?.data['text/plain']], [true, '']);
});

test('what a computation returns is shown as show does', async (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const cell = kernel.runCell();
  await fakePage().ask('execute_request', {code: 'result'});
  const {results, dispose} = await manyResults();
  t.after(dispose);
  const [split, maps] = [results['a split'], results['activation maps']];
  await controls({what: choice(['split', 'maps'])}, () => split);
  await controls({what: choice(['split', 'maps'])}, () => maps);
  const shown = cell.outputs.filter(({data}) => !('application/vnd.jupyter.widget-view+json' in data));
  const texts = await Promise.all([split, maps].map(async (value) => (await bundleOf(value)).data['text/plain']));
  assert.deepEqual(
    shown.map(({data}) => data['text/plain']),
    texts,
  );
  assert.match(String(shown[1].data['text/html']), /data:image\/jpeg/);
});

test('controls outside a notebook that has comms say which kernel has them', () => {
  const key = Symbol.for('unweave.comms');
  const shared = globalThis as unknown as Record<symbol, unknown>;
  const before = shared[key];
  shared[key] = undefined;
  assert.throws(() => controls({}, () => 1), /kernel "TypeScript \(unweave\)"/);
  shared[key] = before;
});

test('knobs that make no sense are refused', () => {
  // What adding steps up leaves behind: 0.05 + 2 · 0.05 is 0.15000000000000002.
  const rho = slider(0.05, 1, {step: 0.05});
  for (let step = 0; step <= 19; step++) {
    const value = rho.read({value: 0.05 + step * 0.05});
    assert.equal(String(value), String(Number((0.05 + step * 0.05).toFixed(2))));
  }
  assert.equal(slider(0.05, 1, {step: 0.05, value: 0.05 + 2 * 0.05}).state.value, 0.15);
  assert.equal(rho.read({value: 0.1234}), 0.1234, 'a value that a user typed stays');
  assert.throws(() => slider(1, 1), /invalid slider from 1 to 1/);
  assert.throws(() => slider(0, 1, {step: 0}), /invalid step: 0/);
  assert.throws(() => slider(0, 1, {value: 2}), /invalid value: 2; the slider goes from 0 to 1/);
  assert.throws(() => choice([]), /at least one option/);
  assert.throws(() => choice(['a', 'b'], {value: 'c' as 'a'}), /invalid value: "c"; the options are: a, b/);
  assert.equal(slider(0, 10, {step: 1}).state.readout_format, '.0f');
  assert.equal(slider(0, 1, {step: 0.05}).state.readout_format, '.2f');
});

test('of many calls one runs at a time, and the last is always met', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), {minLength: 1, maxLength: 20}), async (pauses) => {
      let [asked, met, running, runs] = [0, 0, 0, 0];
      const run = latestOnly(async () => {
        assert.equal(++running, 1);
        runs++;
        const wanted = asked;
        await new Promise((done) => setImmediate(done));
        met = wanted;
        running--;
      });
      const calls: Promise<void>[] = [];
      for (const pause of pauses) {
        asked++;
        calls.push(run());
        for (let i = 0; i < pause; i++) await new Promise((done) => setImmediate(done));
      }
      await Promise.all(calls);
      assert.equal(met, asked);
      assert.ok(runs <= pauses.length);
    }),
    {numRuns: 30},
  );
});
