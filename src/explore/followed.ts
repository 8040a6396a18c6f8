import {inspect} from 'node:util';
import {findPolysemantic} from '../concepts/find';
import type {PolysemanticChannel, PolysemanticChannels} from '../concepts/types';
import {numberText} from '../common/numbers';
import type {RelevanceStatistics} from '../numerics/statistics';
import type {Settings} from './page/explored';

/** Where the sliders of a panel stand, as far as the kernel hears of them. */
export interface Exploration {
  /** τ, p, γ, ρ and what classes are compared by. */
  readonly settings: Readonly<Settings>;
  /** What `findPolysemantic` finds there. */
  readonly found: PolysemanticChannels;
  /** The channel that is looked at, where it is among these. */
  readonly channel: PolysemanticChannel | undefined;
  toString(): string;
}

const KNOBS = ['tau', 'p', 'gamma', 'rho'] as const;

/** An exploration and how it hears of the page; what is no such message is passed over. */
export function followed(stats: RelevanceStatistics, start: Settings): {seen: Exploration; hear(text: string): void} {
  let settings: Settings = {...start};
  let channel: number | undefined;
  let found: PolysemanticChannels | undefined;
  const find = () => {
    const {tau, p, gamma, arv} = settings;
    return (found ??= findPolysemantic(stats, {tau, p, gamma, arv}));
  };
  const seen: Exploration = {
    get settings() {
      return {...settings};
    },
    get found() {
      return find();
    },
    get channel() {
      const all = find();
      return all.find((one) => one.channel === channel) ?? all[0];
    },
    toString() {
      const {tau, p, gamma, rho} = settings;
      return `the panel stands at τ = ${numberText(tau)}, p = ${numberText(p)}, γ = ${numberText(gamma)}, ρ = ${numberText(rho)}`;
    },
  };
  Object.defineProperty(seen, inspect.custom, {value: () => '(panel)', enumerable: false});
  return {
    seen,
    hear(text) {
      const heard = parsed(text);
      if (!heard) return;
      settings = {...settings, ...heard.settings};
      channel = heard.channel;
      found = undefined;
    },
  };
}

/** The page's message, checked: it may come from anything on the page. */
function parsed(text: string): {settings: Settings; channel: number | undefined} | undefined {
  try {
    const {channel, arv, ...rest} = JSON.parse(text) as Record<string, unknown>;
    const [tau, p, gamma, rho] = KNOBS.map((knob) => rest[knob]);
    const inside = (value: unknown, low: number): value is number =>
      typeof value === 'number' && value >= low && value <= 1;
    if (!inside(tau, 0) || !inside(p, 0) || !inside(gamma, -1) || !inside(rho, 0)) return undefined;
    const kind: Pick<Settings, 'arv'> = arv === 'gated' || arv === 'published' ? {arv} : {};
    return {settings: {tau, p, gamma, rho, ...kind}, channel: Number.isInteger(channel) ? Number(channel) : undefined};
  } catch {
    return undefined;
  }
}
