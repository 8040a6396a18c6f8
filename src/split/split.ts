import {numberText, percentText} from '../common/numbers';
import {callName} from '../common/options';
import {makeModel} from '../network/model';
import type {Model} from '../network/types';
import {counted, namedClasses} from '../common/words';
import {divideChannel} from './rewrite';
import type {Split} from './types';
import {readable} from '../common/readable';

/** A split's data, without what is derived from it. */
export type SplitData = Omit<Split, 'kind' | 'model' | 'dispose' | 'toString'>;

/** A split from its data: its model is built on first use, unless it was loaded with it. */
export function makeSplit(data: SplitData, saved?: Model): Split {
  let built = saved;
  const split = {
    kind: 'split' as const,
    ...data,
    dispose() {
      built?.dispose();
      built = saved;
    },
  } as Split;
  // Not enumerable: a split prints, and is compared, as its data.
  Object.defineProperties(split, {
    before: {value: data.before, enumerable: false},
    model: {
      enumerable: false,
      get: () =>
        (built ??= makeModel(divideChannel(data.before.graph, data.layer, data.channel, data), {
          name: `${data.before.name} split at ${data.layer}`,
          preset: data.before.preset,
          classNames: data.before.classNames,
          origins: [...data.before.origins, data.before.hash],
          source: data.before.source,
        })),
    },
  });
  return readable(split, describeSplit);
}

/** A few lines for a terminal or a cell. */
export function describeSplit(split: Split): string {
  const {layer, channel, concepts, rule, rho, sources, kernelShape} = split;
  const lines = [
    `channel ${channel} of layer ${layer}, divided into ${concepts.length} concepts by rule ${rule}` +
      (rho ? `, ρ = ${numberText(rho.rho)}${rho.scores.length > 0 ? ' (chosen)' : ''}` : ''),
  ];
  concepts.forEach(({classes, classNames}, j) => {
    const owned =
      split.ownership && sources[j].length > 0 ? `: ${sources[j].length} of ${kernelShape[2]} sources of its own` : '';
    lines.push(`  part ${j + 1}  ${namedClasses({classes, classNames})}${owned}`);
  });
  for (const caution of doubtsOf(split)) lines.push(`  ${caution}`);
  lines.push(`  ${percentText(split.zeroInputShare)} of the layer's inputs are zero. ${adviceOnRule(rule)}`);
  return lines.join('\n');
}

const silentParts = (images: number) =>
  `${counted(images, 'image')} in which the other parts are silent decided ρ: their ratio is bounded only by the 1e-5 in its denominator`;

const NO_DIFFERENCE =
  'all parts are the same: the images show no difference between the concepts, so the channel was divided evenly';

function sameParts([first, ...others]: readonly Float32Array[]): boolean {
  const size = first.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return others.every((part) => part.every((value, i) => Math.abs(value - first[i]) <= 1e-6 * size));
}

/** What this split's own numbers say against it, in sentences. */
function doubtsOf({rho, parts, notes = []}: Pick<Split, 'rho' | 'parts' | 'notes'>): string[] {
  return [
    ...notes,
    ...(sameParts(parts) ? [NO_DIFFERENCE] : []),
    ...(rho && rho.zeroDenominators > 0 ? [silentParts(rho.zeroDenominators)] : []),
  ];
}

/** What to know before one believes a split, in sentences. */
export function cautionsOf(split: Pick<Split, 'rho' | 'rule' | 'parts' | 'notes'>): string[] {
  return [...doubtsOf(split), ...(split.rule === 'published' ? [adviceOnRule(split.rule)] : [])];
}

/**
 * What the benchmarks say about a rule. The share of zeros among the inputs decides nothing: channels that were taught two meanings
 * divide equally well on dense and on sparse inputs, and merged natural channels do not.
 */
export function adviceOnRule(rule: string): string {
  const compare = `Compare the split with random ones (${callName('evaluateSplit')})`;
  if (rule !== 'published') return `${compare}.`;
  return (
    'The published rule separates channels that were trained for several meanings, but recovers sums of natural channels worse than no split on two of three networks; ' +
    `the rule freeRidge does better on both. ${compare}, or run "unweave benchmark planted" to find the rule for this layer.`
  );
}
