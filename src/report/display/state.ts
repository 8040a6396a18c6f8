import type {Bundle} from './bundle';

/** A field on the page that the kernel hears: where it is shown, and the class that the page finds it by. */
export interface PageLink {
  className: string;
  bundle: Bundle;
}

/** What this process knows of the kernel that it runs in: one record, whichever copy of the package asks. */
export interface KernelState {
  /** The running cell's id where the front end sends one, otherwise its source. */
  cell?: string;
  /** The running cell's source. */
  code?: string;
  /** The cell that carries a library's code, by library. */
  carriers: Map<string, string | undefined>;
  /** Outputs of the running cell that are still being made; never rejects. */
  showing?: Promise<void>;
  /** Takes away the preview of an image under way, of this text, once its result is shown. */
  preview?: {cell: string | undefined; text?: string; clear(): void};
  /** Links the running cell's output to the kernel; absent, or undefined, where nothing can be heard. */
  linkPage?(onText: (text: string) => void): PageLink | undefined;
  /** Prototypes that have been extended, so that two copies of the package do not do it twice. */
  extended: WeakMap<object, Set<string>>;
}

const KEY = Symbol.for('unweave.kernel');
const shared = globalThis as unknown as {[KEY]?: KernelState};

export function kernelState(): KernelState {
  return (shared[KEY] ??= {carriers: new Map(), extended: new WeakMap()});
}

/** True once for each object and purpose. */
export function firstTime(object: object, purpose: string): boolean {
  const {extended} = kernelState();
  const done = extended.get(object) ?? new Set();
  extended.set(object, done);
  if (done.has(purpose)) return false;
  done.add(purpose);
  return true;
}
