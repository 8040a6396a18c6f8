/** Reads one file after the other for its parent and says what came of each. */
import {InputError} from '../../src/common/errors';
import {BROKEN, OPENERS, READERS} from './readers';

export interface Task {
  reader: string;
  place: string;
}

export interface Answer {
  outcome: 'read' | 'refused' | 'thrown';
  message?: string;
  fingerprint?: string;
  /** Memory that reading took at most, bytes. */
  memory: number;
}

async function answer({reader, place}: Task): Promise<Answer> {
  const found = [...READERS, ...OPENERS].find(({name}) => name === reader);
  const [peak, before] = [process.resourceUsage().maxRSS * 1024, process.memoryUsage.rss()];
  // The peak is the process's: where it did not rise, this was less.
  const memory = () => {
    const now = process.resourceUsage().maxRSS * 1024;
    return now > peak ? now - before : 0;
  };
  try {
    BROKEN[reader]?.();
    const fingerprint = await found?.read(place);
    return {outcome: 'read', fingerprint, memory: memory()};
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return {outcome: error instanceof InputError ? 'refused' : 'thrown', message, memory: memory()};
  }
}

// What is thrown outside of the promise that is waited for would end a user's process.
process.on('message', (task: Task) => {
  void answer(task).then((given) => process.send?.(given));
});
process.send?.('ready');
