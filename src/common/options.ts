/** How the surface in use writes an option: the API by its name, the command line as a flag. */
type OptionStyle = (name: string) => string;

let style: OptionStyle = (name) => name;

/**
 * An option's name in a sentence for the user, as the surface in use writes it: `force` in a notebook, `--force` on a shell.
 * @param name as the API names it, in camel case
 */
export function option(name: string): string {
  return style(name);
}

/** What a call of the API is on a shell. */
const COMMANDS = {
  evaluateSplit: 'unweave evaluate',
  suggestThresholds: 'unweave find --suggest',
} as const;

/** A call's name in a sentence for the user, as the surface in use writes it: `evaluateSplit`, or `unweave evaluate` on a shell. */
export function callName(name: keyof typeof COMMANDS): string {
  return style === asFlag ? COMMANDS[name] : name;
}

/** Sets how options and calls are named from now on; the command line calls it once, before anything else. */
export function nameOptions(next: OptionStyle): void {
  style = next;
}

/** `allPairs` as `--all-pairs`. */
export const asFlag: OptionStyle = (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
