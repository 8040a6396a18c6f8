/** Reads one file after the other for its parent and says what came of each. */
import {InputError} from '../../src/common/errors';
import {BROKEN, READERS} from './readers';

export interface Task {
  reader: string;
  file: string;
}

export interface Answer {
  outcome: 'read' | 'refused' | 'thrown';
  message?: string;
  fingerprint?: string;
  /** Largest resident memory of the process so far, bytes. */
  memory: number;
}

async function answer({reader, file}: Task): Promise<Omit<Answer, 'memory'>> {
  const found = READERS.find(({name}) => name === reader);
  try {
    BROKEN[reader]?.();
    return {outcome: 'read', fingerprint: await found?.read(file)};
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return {outcome: error instanceof InputError ? 'refused' : 'thrown', message};
  }
}

process.on('message', (task: Task) => {
  void answer(task).then((given) => process.send?.({...given, memory: process.resourceUsage().maxRSS * 1024}));
});
process.send?.('ready');
