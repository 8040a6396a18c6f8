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
