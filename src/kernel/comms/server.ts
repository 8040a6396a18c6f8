import {randomUUID} from 'node:crypto';
import {firstTime} from '../../report/display/state';
import type {Server, Socket, Tslab} from '../../report/display/tslab';
import {createWire, type Header, type Message, type Wire} from './wire';

/** A two-way channel between an object here and one on the page. */
export interface Comm {
  readonly id: string;
  readonly target: string;
  send(data: object): void;
  close(): void;
  /** Called with what the page sends. The page waits with its next message until the promise is kept. */
  onMessage?: (data: Record<string, unknown>) => void | Promise<void>;
}

/** Comms of this kernel. */
export interface CommServer {
  /** Whether a front end has been heard, without which nothing can be sent. */
  readonly connected: boolean;
  open(target: string, data: object, metadata?: object): Comm;
  /** Called when the page opens a comm of this target. */
  onOpen(target: string, opened: (comm: Comm) => void): void;
}

interface Connection {
  wire: Wire;
  iopub: Socket;
}

const KEY = Symbol.for('unweave.comms');
const shared = globalThis as unknown as {[KEY]?: CommServer};

/** The comms of this process, once `answerComms` has been called. */
export function commServer(): CommServer | undefined {
  return shared[KEY];
}

/**
 * Answers comms, of which tslab knows nothing: messages of theirs are taken out before its server sees them, all others
 * pass. Its reply to `comm_info_request` has the wrong type, for which a front end waits four seconds.
 */
export function answerComms({jupyter}: Tslab): CommServer {
  const prototype = jupyter.ZmqServer.prototype;
  if (!firstTime(prototype, 'answer comms')) return shared[KEY] as CommServer;
  const comms = new Map<string, Comm>();
  const targets = new Map<string, (comm: Comm) => void>();
  let connection: Connection | undefined;
  // What is sent on our own account belongs to the cell that was run last.
  let parent: Header | undefined;

  const publish = (
    type: string,
    content: object,
    {metadata, about = parent}: {metadata?: object; about?: Header} = {},
  ) => {
    if (!connection) throw new Error('no front end has been heard yet');
    connection.iopub.send(connection.wire.frames([type], type, {content, metadata, parent: about}));
  };
  const addComm = (id: string, target: string): Comm => {
    const comm: Comm = {
      id,
      target,
      send: (data) => publish('comm_msg', {comm_id: id, data}),
      close: () => {
        comms.delete(id);
        publish('comm_close', {comm_id: id, data: {}});
      },
    };
    comms.set(id, comm);
    return comm;
  };

  const answer: Record<
    string,
    (message: Message, reply: (type: string, content: object) => void) => void | Promise<void>
  > = {
    comm_info_request({content}, reply) {
      const wanted = [...comms.values()].filter(({target}) => !content.target_name || target === content.target_name);
      reply('comm_info_reply', {
        status: 'ok',
        comms: Object.fromEntries(wanted.map(({id, target}) => [id, {target_name: target}])),
      });
    },
    // A console asks for it; tslab would write into the cell that it does not know the question.
    history_request(_message, reply) {
      reply('history_reply', {status: 'ok', history: []});
    },
    comm_open({content, header}) {
      const [id, target] = [String(content.comm_id), String(content.target_name)];
      const opened = targets.get(target);
      if (opened) opened(addComm(id, target));
      else publish('comm_close', {comm_id: id, data: {}}, {about: header});
    },
    comm_msg({content}) {
      return comms.get(String(content.comm_id))?.onMessage?.((content.data ?? {}) as Record<string, unknown>);
    },
    comm_close({content}) {
      // A page that has not loaded its widgets yet closes every comm that it is told of, and asks for them later: what
      // was opened here is kept for that.
      const comm = comms.get(String(content.comm_id));
      if (comm && targets.has(comm.target)) comms.delete(comm.id);
    },
  };

  const {handleShellMessage} = prototype;
  prototype.handleShellMessage = async function (this: Server, socket: Socket, ...raw: Buffer[]) {
    connection ??= {wire: createWire(this.connInfo.key), iopub: this.iopub};
    const {wire} = connection;
    const message = wire.parse(raw);
    if (message) parent = message.header.msg_type === 'execute_request' ? message.header : (parent ?? message.header);
    if (!message || !Object.hasOwn(answer, message.header.msg_type))
      return handleShellMessage.call(this, socket, ...raw);
    const {header, identities} = message;
    publish('status', {execution_state: 'busy'}, {about: header});
    try {
      await answer[header.msg_type](message, (type, content) => {
        socket.send(wire.frames(identities, type, {content, parent: header}));
      });
    } catch (error) {
      process.stderr.write(`a control failed: ${error instanceof Error ? error.message : String(error)}\n`);
    } finally {
      publish('status', {execution_state: 'idle'}, {about: header});
    }
  };

  const server: CommServer = {
    get connected() {
      return connection !== undefined;
    },
    open(target, data, metadata) {
      const comm = addComm(randomUUID().replace(/-/g, ''), target);
      publish('comm_open', {comm_id: comm.id, target_name: target, data}, {metadata});
      return comm;
    },
    onOpen: (target, opened) => void targets.set(target, opened),
  };
  shared[KEY] = server;
  return server;
}
