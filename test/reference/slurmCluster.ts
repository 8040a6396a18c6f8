/**
 * A Slurm of two nodes on the loopback address, from Debian's packages and without systemd: munged, slurmctld and two slurmds, which are ended with
 * everything that they started. Needs root, as Slurm does.
 */
import {execFile, execFileSync, spawn} from 'node:child_process';
import {closeSync, existsSync, openSync} from 'node:fs';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {randomBytes} from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import {setTimeout as wait} from 'node:timers/promises';
import {promisify} from 'node:util';

const run = promisify(execFile);

const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scontrol'];
const PACKAGES = 'slurmctld slurmd slurm-client munge';
/** Ports of the controller and of the first node. */
const [CONTROLLER, NODES] = [17600, 17601];

/** Why there can be no Slurm here; undefined where there can. */
export function noSlurm(): string | undefined {
  if (process.platform !== 'linux') return 'Slurm runs on Linux';
  if (process.getuid?.() !== 0) return 'Slurm’s daemons need root here';
  const missing = PROGRAMS.filter((program) => !pathOf(program));
  return missing.length > 0 ? `there is no ${missing.join(', ')}; apt-get install ${PACKAGES}` : undefined;
}

function pathOf(program: string): string | undefined {
  return ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin']
    .map((folder) => path.join(folder, program))
    .find((file) => existsSync(file));
}

export interface SlurmCluster {
  /** Ends a node as a power failure does: its daemon and all that runs on it. */
  lose(node: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it, and lets this process and its children find it by SLURM_CONF. */
export async function startSlurm(folder: string): Promise<SlurmCluster> {
  const at = (name: string) => path.join(folder, name);
  for (const name of ['state', 'n1', 'n2', 'munge']) await mkdir(at(name), {recursive: true, mode: 0o755});
  const host = os.hostname().split('.')[0];
  const conf = [
    'ClusterName=loopback',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${CONTROLLER}`,
    'SlurmUser=root',
    'AuthType=auth/munge',
    `AuthInfo=socket=${at('munge/socket')},cred_expire=5`,
    'CommunicationParameters=NoCtldInAddrAny,NoInAddrAny',
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU',
    'SlurmdTimeout=10',
    'ReturnToService=2',
    'MpiDefault=none',
    'SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1',
    `StateSaveLocation=${at('state')}`,
    `SlurmdSpoolDir=${folder}/%n`,
    `SlurmctldPidFile=${at('slurmctld.pid')}`,
    `SlurmdPidFile=${folder}/slurmd-%n.pid`,
    `SlurmctldLogFile=${at('slurmctld.log')}`,
    `SlurmdLogFile=${folder}/slurmd-%n.log`,
    `NodeName=n[1-2] NodeHostname=${host} NodeAddr=127.0.0.1 Port=[${NODES}-${NODES + 1}] CPUs=2 RealMemory=1000`,
    'PartitionName=all Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO',
  ];
  await writeFile(at('slurm.conf'), `${conf.join('\n')}\n`);
  await writeFile(at('munge/key'), randomBytes(128), {mode: 0o600});
  process.env['SLURM_CONF'] = at('slurm.conf');
  const munge = ['key-file=key', 'socket=socket', 'pid-file=pid', 'log-file=log', 'seed-file=seed'];
  const mungeFlags = munge.map((flag) => `--${flag.replace('=', `=${at('munge')}/`)}`);
  const daemons: number[] = [];
  const start = (program: string, flags: string[]) => {
    const log = openSync(at('daemons.log'), 'a');
    const child = spawn(pathOf(program)!, flags, {stdio: ['ignore', log, log], detached: true});
    closeSync(log);
    child.unref();
    daemons.push(child.pid!);
    return child.pid!;
  };
  const nodes: Record<string, number> = {};
  const stop = async () => {
    for (const pid of daemons.reverse()) end(pid, 'SIGTERM');
    await wait(500);
    for (const pid of [...daemons, ...(await startedBy(folder))]) end(pid, 'SIGKILL');
    delete process.env['SLURM_CONF'];
  };
  try {
    start('munged', ['--foreground', '--force', ...mungeFlags]);
    await until('munge', async () => existsSync(at('munge/socket')));
    start('slurmctld', ['-D', '-c', '-f', at('slurm.conf')]);
    for (const node of ['n1', 'n2']) nodes[node] = start('slurmd', ['-D', '-f', at('slurm.conf'), '-N', node]);
    await until('both nodes', async () => {
      const {stdout} = await run('sinfo', ['-h', '-N', '-o', '%T']);
      return stdout.trim().split('\n').filter((state) => state === 'idle').length === 2; // prettier-ignore
    });
  } catch (error) {
    const log = await readFile(at('slurmctld.log'), 'utf8').catch(() => '');
    await stop();
    throw new Error(`${(error as Error).message}; slurmctld says: ${log.slice(-800)}`);
  }
  return {
    stop,
    async lose(node) {
      end(nodes[node], 'SIGKILL');
      for (const pid of await startedBy(folder, node)) end(pid, 'SIGKILL');
    },
  };
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** Processes that this cluster started, on one node or on all: without cgroups they outlive its daemons. */
async function startedBy(folder: string, node?: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '');
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const variables = environment.split('\0');
    const isStep = command.includes('slurmstepd');
    const isJob = variables.some((one) => one.startsWith('SLURM_JOB_ID='));
    if (!variables.includes(`SLURM_CONF=${path.join(folder, 'slurm.conf')}`) || !(isStep || isJob)) continue;
    const runsOn = variables.find((one) => one.startsWith('SLURMD_NODENAME='))?.split('=')[1];
    if (node === undefined || runsOn === node || (isStep && (await childrenOn(Number(entry), node)))) found.push(Number(entry)); // prettier-ignore
  }
  return found;
}

/** Whether one of a step's children runs on the node. */
async function childrenOn(pid: number, node: string): Promise<boolean> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const child of children.trim().split(' ')) {
    const environment = await readFile(`/proc/${child}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').includes(`SLURMD_NODENAME=${node}`)) return true;
  }
  return false;
}

/** Waits until it is so. */
export async function until(what: string, holds: () => Promise<boolean>, seconds = 60): Promise<void> {
  const last = performance.now() + 1000 * seconds;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > last) throw new Error(`${what}: not after ${seconds} s`);
    await wait(200);
  }
}

/** What `squeue` says, for a message. */
export const queueNow = () => execFileSync('squeue', ['-r'], {encoding: 'utf8'});
