import {readFileSync} from 'node:fs';

/** Milliseconds of a clock tick of Linux. */
const TICK = 10;

/** Processor time in ms that this process and others have taken, all threads together; of others, on Linux alone, in steps of 10 ms. */
export function processorTime(others: readonly number[] = []): {own: number; others: number} {
  const {user, system} = process.cpuUsage();
  return {own: (user + system) / 1000, others: others.reduce((sum, pid) => sum + timeOf(pid), 0)};
}

function timeOf(pid: number): number {
  try {
    // The program's name before may hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return TICK * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return 0;
  }
}

/** Milliseconds on the clock, and of processor time, which other processes of the machine lengthen less. */
export interface Cost {
  wall: number;
  processor: number;
}

/** What a piece of work costs here and in the processes `others` names. */
export async function costOf(work: () => Promise<unknown>, others: () => number[] = () => []): Promise<Cost> {
  const total = () => {
    const time = processorTime(others());
    return time.own + time.others;
  };
  const [before, start] = [total(), performance.now()];
  await work();
  return {wall: performance.now() - start, processor: total() - before};
}

export const scaled = ({wall, processor}: Cost, by: number): Cost => ({wall: wall * by, processor: processor * by});

export const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
