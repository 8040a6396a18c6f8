type Sink = Pick<Console, 'debug' | 'error' | 'info' | 'log' | 'warn'>;
const METHODS = ['debug', 'error', 'info', 'log', 'warn'] as const;

/**
 * Runs a synchronous `load` without console lines: the second copy of a tfjs package announces each of its hundreds of
 * kernels as already registered, which would fill a cell.
 */
export function quietly<T>(load: () => T): T {
  const sink: Sink = globalThis.console;
  const saved = METHODS.map((method) => [method, sink[method]] as const);
  for (const method of METHODS) sink[method] = () => {};
  try {
    return load();
  } finally {
    for (const [method, original] of saved) sink[method] = original;
  }
}
