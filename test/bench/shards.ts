import {fork, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import path from 'node:path';
import type {Cost} from './processorTime';

/** One process over all images, and two at once over half of them each, one core each; milliseconds. */
export interface ShardGrowth {
  images: number;
  one: Cost;
  /** The slower one on the clock, both by processor time. */
  two: Cost;
}

export async function shardGrowth(images: number): Promise<ShardGrowth> {
  const one = await start(images, {});
  const [whole] = await Promise.all([answer(one, {index: 0, count: 1})]);
  one.kill();
  // As a scheduler does that binds each task to a core of its own.
  const both = await Promise.all([0, 1].map(() => start(images, {TF_NUM_INTRAOP_THREADS: '1', OMP_NUM_THREADS: '1'})));
  const halves = await Promise.all(both.map((child, index) => answer(child, {index, count: 2})));
  for (const child of both) child.kill();
  return {
    images,
    one: whole,
    two: {
      wall: Math.max(...halves.map(({wall}) => wall)),
      processor: halves.reduce((sum, {processor}) => sum + processor, 0),
    },
  };
}

async function start(images: number, env: Record<string, string>): Promise<ChildProcess> {
  const child = fork(path.join(__dirname, 'shardWorker.ts'), [String(images)], {
    execArgv: ['--import', 'tsx'],
    env: {...process.env, ...env},
  });
  await once(child, 'message');
  return child;
}

async function answer(child: ChildProcess, shard: {index: number; count: number}): Promise<Cost> {
  child.send(shard);
  const [cost] = (await once(child, 'message')) as [Cost];
  return cost;
}
