import {conceptColours} from './palette';

/** A concept beside a similarity map: the classes of it that are drawn. */
export interface Bracket {
  /** Its place among the channel's concepts, from 1. */
  number: number;
  /** Positions among the classes that are drawn. */
  members: readonly number[];
  colour: string;
}

/** More brackets than this say nothing. */
const MOST = 9;

/** Brackets for concepts, as far as their classes are drawn; none where there is one, or each class is its own of very many. */
export function bracketsOf(
  concepts: readonly {classes: readonly number[]}[] | undefined,
  drawn: readonly number[],
): Bracket[] {
  if (!concepts || concepts.length < 2 || concepts.length > MOST) return [];
  const colours = conceptColours(concepts);
  return concepts.flatMap(({classes}, j) => {
    const members = [...drawn.keys()].filter((at) => classes.includes(drawn[at]));
    return members.length > 0 ? [{number: j + 1, members, colour: colours[j]}] : [];
  });
}

/** An order in which each bracket's members stand together: brackets by their first member's place, what is in none last. */
export function together(order: readonly number[], brackets: readonly Bracket[]): number[] {
  const blocks = brackets
    .map(({members}) => order.filter((at) => members.includes(at)))
    .sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
  const inside = new Set(blocks.flat());
  return [...blocks.flat(), ...order.filter((at) => !inside.has(at))];
}

/** Layers that draw the brackets at the right of a map whose rows are `names`, from x = `right` on. */
export function bracketLayers(
  brackets: readonly Bracket[],
  labels: readonly string[],
  names: readonly string[],
  right: number,
) {
  const place = new Map(names.map((name, row) => [name, row]));
  const y = {field: 'a', type: 'nominal' as const, sort: [...names]};
  return brackets.flatMap(({members, number, colour}) => {
    const rows = members.map((at) => labels[at]).sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
    const tooltip = [
      {field: 'concept', type: 'nominal' as const, title: 'of'},
      {...y, title: 'class'},
    ];
    return [
      {
        data: {values: rows.map((a) => ({a, concept: `concept ${number}`}))},
        mark: {type: 'rect' as const, color: colour},
        encoding: {x: {value: right + 5}, x2: {value: right + 10}, y, tooltip},
      },
      {
        data: {values: [{a: rows[Math.floor((rows.length - 1) / 2)]}]},
        mark: {
          type: 'text' as const,
          align: 'left' as const,
          fontWeight: 'bold' as const,
          text: String(number),
          color: colour,
          tooltip: null,
        },
        encoding: {x: {value: right + 14}, y},
      },
    ];
  });
}
