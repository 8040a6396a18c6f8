/** One pass, or what is left of it, in a process that may be killed: `pass.ts FOLDER IMAGES SECONDS [all] [clock] [batch=64]`. */
import {InputError, InterruptError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {soakPass} from './setting';

/** How a pass ended, as its exit code. */
export const ENDS = {whole: 0, refused: 3, interrupted: 4} as const;

async function main([folder, count, seconds, ...words]: string[]): Promise<number> {
  if (words.includes('clock')) {
    const {now} = Date;
    setTimeout(() => (Date.now = () => now() - 3_600_000), 500).unref();
  }
  const batch = words.find((word) => word.startsWith('batch='));
  const started = Date.now();
  const timer = setInterval(() => {
    globalThis.gc?.(); // What is left is held by something.
    const {rss, heapUsed, arrayBuffers} = process.memoryUsage();
    process.send?.({memory: {rss, heapUsed, arrayBuffers}, seconds: (Date.now() - started) / 1000});
  }, 2000);
  try {
    await ensureBackend();
    process.send?.({begun: true});
    await soakPass(words.includes('all') ? 'all' : 'plain', Number(count), {
      out: folder,
      ...(batch !== undefined && {batchSize: Number(batch.slice(6))}),
      checkpointSeconds: Number(seconds),
      progress: ({done}) => {
        process.send?.({done});
      },
    });
    return ENDS.whole;
  } catch (error) {
    process.send?.({message: (error as Error).message});
    if (error instanceof InterruptError) return ENDS.interrupted;
    if (error instanceof InputError) return ENDS.refused;
    throw error;
  } finally {
    clearInterval(timer);
  }
}

if (require.main === module)
  void main(process.argv.slice(2)).then((code) => {
    process.disconnect?.();
    process.exitCode = code;
  });
