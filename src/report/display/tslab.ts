import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

/** One message to the front end, as tslab signs and sends it. */
export interface DisplayData {
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
  transient: {display_id?: string};
}
export type DisplayWriter = (content: DisplayData, update: boolean) => void;

export interface Socket {
  send(parts: (string | Buffer)[] | string | Buffer): unknown;
  sendTimeout: number;
  sendHighWaterMark: number;
}

/** The parts of tslab's server that are read here. */
export interface Server {
  connInfo: {key: string};
  iopub: Socket;
}

/** What tslab's `dist/jupyter.js` exports, as far as it is used here. */
export interface JupyterModule {
  /** Writes to the cell that started last; null before the first cell. */
  lastWriteDisplayData: DisplayWriter | null;
  ZmqServer: {
    prototype: {
      handleShellMessage(this: Server, socket: Socket, ...raw: Buffer[]): Promise<void>;
      handleExecute(this: Server, socket: Socket, message: ExecuteMessage): Promise<void>;
    };
  };
  JupyterHandlerImpl: {
    prototype: {handleExecuteImpl(request: {code: string}, ...writers: unknown[]): Promise<unknown>};
  };
}
export interface ExecuteMessage {
  content: {code: string};
  metadata?: {cellId?: string};
}

/** A copy of tslab that this process has loaded. */
export interface Tslab {
  version: string;
  /** Its `dist/jupyter.js`, from which its own dependencies resolve. */
  file: string;
  jupyter: JupyterModule;
}

/** Versions whose insides were read and tried; any other is left as it is. */
export const KNOWN_VERSIONS: readonly string[] = ['1.0.22'];

export function isKnown(version: string): boolean {
  return KNOWN_VERSIONS.includes(version);
}

/** The version of the tslab that a file in its `dist` folder belongs to. */
export function tslabVersion(file: string): string {
  const manifest = path.join(path.dirname(file), '..', 'package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as {version: string}).version;
}

/** The copies of tslab in this process: none outside a kernel, two where a global tslab handed over to a local one. */
export function loadedTslabs(): Tslab[] {
  return Object.keys(require.cache)
    .filter((file) => /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(file))
    .map((file) => ({file, jupyter: require.cache[file]?.exports as JupyterModule, version: versionOrNone(file)}))
    .filter(({jupyter}) => jupyter && 'lastWriteDisplayData' in jupyter);
}

/** Loads a module as tslab would. */
export function fromTslab<T>(tslab: Pick<Tslab, 'file'>, module: string): T {
  return createRequire(tslab.file)(module) as T;
}

/** The copy of tslab that has run a cell, if this process is a kernel. */
export function runningTslab(): Tslab | undefined {
  return loadedTslabs().find(({jupyter}) => jupyter.lastWriteDisplayData !== null);
}

function versionOrNone(file: string): string {
  try {
    return tslabVersion(file);
  } catch {
    return 'unknown';
  }
}
