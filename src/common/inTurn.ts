/** The first of each list, then the second of each, and so on. */
export function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const turns = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({length: turns}, (_, turn) => lists.flatMap((list) => list.slice(turn, turn + 1))).flat();
}
