import {analyse, type Overview} from './analysis';
import {channelList} from './channelList';
import {detailView} from './detailView';
import {copyButton, h, isolated} from './dom';
import type {Explored, Knob, Settings} from './explored';
import type {Packed} from './packed';
import {knobControls} from './knobs';
import {STYLE} from './style';
import {countText, numberText} from '../../common/numbers';
import {vectorSwitch} from './vectorSwitch';
import {comparedBy, findCode, plural} from './words';

/** Milliseconds that a computation keeps the page from answering. */
const SLICE = 12;

/** Fills an element with the panel. Everything is inside a shadow root, so that panels and the page's styles leave each other alone. */
export function mountPanel(root: HTMLElement, explored: Explored, {sprite, link}: Omit<Packed, 'data'> = {}): void {
  const analysis = analyse(explored);
  const settings: Settings = {...explored.start};
  let selected: number | undefined;
  let current: number | undefined;
  let overview: Overview | undefined;
  let run = 0;

  const knobs = knobControls(explored.grid, settings, moved);
  const summary = h('div', {class: 'summary', role: 'status'});
  const list = channelList(explored, (channel) => {
    selected = channel;
    draw();
  });
  const detail = detailView(explored, analysis);
  const code = h('code', {});
  const body = h(
    'div',
    {class: 'panel', 'aria-label': `explore layer ${explored.about.layer}`, role: 'region'},
    heading(explored),
    knobs.element,
    explored.gated && vectorSwitch(settings, () => void recompute()),
    summary,
    h(
      'div',
      {class: 'code'},
      code,
      copyButton(() => code.textContent ?? '', 'copy the code that finds these channels'),
    ),
    h('div', {class: 'main'}, list.element, detail.element),
  );
  // Keys that move a slider are no shortcuts of the notebook.
  const host = h('div', {'data-lm-suppress-shortcuts': 'true'});
  const shadow = host.attachShadow({mode: 'open'});
  const tiles =
    sprite && /^data:image\/\w+;base64,[\w+/=]+$/.test(sprite) ? `.tile{background-image:url("${sprite}")}` : '';
  shadow.append(h('style', {}, STYLE + tiles), body);
  root.replaceChildren(host);
  void recompute();

  function moved(knob: Knob): void {
    if (knob === 'rho') {
      if (link) tellKernel(link, {...settings, channel: current});
      return detail.renderSources(settings);
    }
    void recompute();
  }

  async function recompute(): Promise<void> {
    const mine = (run += 1);
    body.setAttribute('aria-busy', 'true');
    code.textContent = findCode(settings);
    const result = await sliced(analysis.overview({...settings}), () => mine === run);
    if (!result) return;
    overview = result;
    knobs.drawCosines(overview.cosines, settings.gamma);
    summary.replaceChildren(...summaryWords(overview, settings, explored));
    draw();
    body.removeAttribute('aria-busy');
  }

  /** The chosen channel while it is a candidate, else the one with the lowest cosine. */
  function draw(): void {
    if (!overview) return;
    const {candidates} = overview;
    const shown = candidates.find(({channel}) => channel === selected) ?? candidates[0];
    current = shown?.channel;
    if (link) tellKernel(link, {...settings, channel: current});
    list.render(overview, shown?.channel);
    detail.render(shown, settings);
  }
}

/** Writes into the field that Jupyter's widgets send to the kernel, as typing would. */
function tellKernel(link: string, state: object): void {
  const field = document.querySelector<HTMLInputElement>(`.${link} input`);
  if (!field) return;
  field.value = JSON.stringify(state);
  for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, {bubbles: true}));
}

/** Goes through the steps in slices, and gives up when the result is no longer wanted. */
async function sliced<T>(steps: Generator<undefined, T>, wanted: () => boolean): Promise<T | undefined> {
  let until = performance.now() + SLICE;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < until) continue;
    await new Promise((done) => setTimeout(done));
    if (!wanted()) return undefined;
    until = performance.now() + SLICE;
  }
}

function heading({about}: Explored): HTMLElement {
  const [kh, kw, inputs, outputs] = about.shape;
  const facts = [
    `${kh}×${kw}, ${inputs} → ${plural(outputs, 'channel')}`,
    `${plural(about.imageCount, 'image')} of ${plural(about.classCount, 'class', 'classes')}`,
  ];
  return h(
    'header',
    {},
    h('h2', {}, 'Layer ', isolated(about.layer), ' of ', isolated(about.model)),
    h('div', {class: 'facts'}, `${facts.join(' · ')} · `, isolated(about.images)),
    about.reduced.length > 0 &&
      h('div', {class: 'note'}, `Reduced to keep this panel small: ${about.reduced.join('; ')}.`),
    ...about.warnings.map((warning) => h('div', {class: 'note warning'}, 'Warning: ', isolated(warning))),
  );
}

/** What was found; where nothing was, which knob to turn. */
function summaryWords(overview: Overview, settings: Settings, {about, channels}: Explored): (Node | string)[] {
  const {gamma, tau, p} = settings;
  const {candidates, polysemantic, pairs, below, undecided} = overview;
  const outputs = about.shape[3];
  if (about.classCount < 2) {
    return [
      'These statistics are of ',
      plural(about.classCount, 'class', 'classes'),
      ': a channel can be polysemantic only where there are two or more.',
    ];
  }
  if (channels.length === 0)
    return ['No channel is important for images of two classes: there is nothing to explore here.'];
  if (candidates.length === 0) {
    return [
      `No channel is relevant to two classes at τ = ${numberText(tau)} and p = ${numberText(p)}: move τ or p to the left.`,
    ];
  }
  const found = h(
    'span',
    {},
    h('b', {'data-count': 'candidates'}, countText(candidates.length)),
    ` of ${plural(outputs, 'channel')} are relevant to at least two classes; `,
    h('b', {'data-count': 'polysemantic'}, countText(polysemantic)),
    ' polysemantic: ',
    h('b', {'data-count': 'below'}, countText(below)),
    ` of ${plural(pairs, 'pair')} of classes below γ${undecided > 0 ? `, ${countText(undecided)} undecided` : ''} (${comparedBy(settings)}).`,
  );
  if (below > 0 || pairs === 0) return [found];
  const sorted = overview.cosines.slice().sort();
  const at = (share: number) => numberText(sorted[Math.min(pairs - 1, Math.floor(share * pairs))]);
  const advice = ` No pair is below γ = ${numberText(gamma)}, which depends on the network: here the lowest cosine is ${at(0)}, 5 % are below ${at(0.05)}, half below ${at(0.5)}.`;
  return [found, h('span', {class: 'advice'}, advice)];
}
