import {numberText} from '../../common/numbers';
import {counted, namedClass} from '../../common/words';
import {nameText} from '../../plots/labels';
import {conceptColours, NO_CONCEPT} from '../../plots/palette';
import type {Split, SplitConcept} from '../../split/types';
import {html, isolated, type Html} from '../display';
import type {Block} from './view';

/** Classes of a concept that its box names. */
const NAMED = 3;

/**
 * What a split does to the network: w → d1 + d2 − r, a box a kernel with its sources counted (Hesse et al. 2025, figure 2). Boxes are framed in
 * their concept's colour, as the pictures are.
 */
export function rewiring({channel, layer, concepts, kernelShape, original, parts, residue, sources}: Split): Block {
  const inputs = kernelShape[2];
  const used = (kernel: Float32Array) => {
    const weighted = new Set<number>();
    kernel.forEach((weight, at) => weight !== 0 && weighted.add(at % inputs));
    return weighted.size;
  };
  const colours = conceptColours(concepts);
  const times = parts.length - 1;
  const boxes = [
    {name: `channel ${channel}`, of: 'w', lines: [counted(used(original), 'source')], colour: NO_CONCEPT, before: ''},
    ...parts.map((part, j) => {
      const own = sources[j]?.length ?? 0;
      return {
        name: `d${j + 1}`,
        of: conceptNames(concepts[j]),
        lines: [counted(used(part), 'source'), ...(own > 0 ? [`${numberText(own)} of its own`] : [])],
        colour: colours[j],
        before: j === 0 ? '=' : '+',
      };
    }),
    {
      name: 'r',
      of: 'residue',
      lines: [counted(used(residue), 'source'), used(residue) > 0 ? 'what all share' : 'nothing is shared'],
      colour: NO_CONCEPT,
      before: times > 1 ? `− ${times} ·` : '−',
    },
  ];
  const sentence =
    `In layer ${layer}, d1 replaces channel ${channel}; ${['d2', 'd2, d3'][parts.length - 2] ?? `d2 to d${parts.length}`} and r are new channels at its end. ` +
    `A sum after the layer restores channel ${channel}, so nothing downstream changes.`;
  const equation = boxes.map(({name, of, lines, before}) => `${before} ${name} (${of}: ${lines.join(', ')})`.trim());
  return {
    markup: html`<div style="font-size:13px">
      <div style="white-space:normal">${boxes.map(boxHtml)}</div>
      <div style="max-width:640px;margin-top:4px">${isolated(sentence)}</div>
    </div>`,
    text: `${equation.join(' ')}\n${sentence}`,
  };
}

function boxHtml({
  name,
  of,
  lines,
  colour,
  before,
}: {
  name: string;
  of: string;
  lines: readonly string[];
  colour: string;
  before: string;
}): Html {
  const style = `display:inline-block;vertical-align:middle;border:3px solid ${colour};border-radius:4px;padding:4px 10px;margin:2px 4px;text-align:left`;
  return html`<span style="white-space:nowrap">
    ${before ? html`<span style="font-size:17px;vertical-align:middle">${before}</span>` : ''}
    <span style="${style}">
      <span style="font-weight:600">${name}</span> ${isolated(of)}
      ${lines.map((line) => html`<br /><span style="font-size:12px">${line}</span>`)}
    </span>
  </span> `;
}

function conceptNames({classes, classNames}: SplitConcept): string {
  const names = classes.slice(0, NAMED).map((k, at) => namedClass(k, nameText(classNames[at])));
  return `${names.join(' + ')}${classes.length > NAMED ? ` + ${classes.length - NAMED} more` : ''}`;
}
