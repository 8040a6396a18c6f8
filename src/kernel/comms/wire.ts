import {createHmac, randomUUID} from 'node:crypto';

/** Jupyter's wire protocol: identities, a delimiter, a signature over four JSON parts, those parts, then raw buffers. */
const DELIMITER = Buffer.from('<IDS|MSG>');

export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  date: string;
  version: string;
}

export interface Message {
  /** Who asked, by zeromq's routing; a reply starts with them. */
  identities: Buffer[];
  header: Header;
  metadata: {cellId?: string};
  content: Record<string, unknown>;
}

/** Signs and reads the messages of one kernel session. */
export interface Wire {
  /** The frames of a message. @param identities routing of a reply, or the topic of a broadcast */
  frames(
    identities: (string | Buffer)[],
    type: string,
    message: {content: object; parent?: Header; metadata?: object},
  ): (string | Buffer)[];
  /** The message in some frames; undefined where they are malformed or signed by somebody else. */
  parse(frames: Buffer[]): Message | undefined;
}

export function createWire(key: string): Wire {
  const own = randomUUID();
  const sign = (parts: (string | Buffer)[]) => {
    const hash = createHmac('sha256', key);
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  };
  return {
    frames(identities, type, {content, parent, metadata = {}}) {
      const date = new Date().toISOString();
      // tslab answers under the session of the one who asked; JupyterLab drops messages whose session differs from that of
      // the latest one, so these do the same.
      const session = parent?.session ?? own;
      const header: Header = {msg_id: randomUUID(), msg_type: type, session, username: 'kernel', date, version: '5.3'};
      const parts = [header, parent ?? {}, metadata, content].map((part) => JSON.stringify(part));
      return [...identities, DELIMITER, sign(parts), ...parts];
    },
    parse(frames) {
      const at = frames.findIndex((frame) => frame.equals(DELIMITER));
      const parts = frames.slice(at + 2, at + 6);
      if (at < 0 || parts.length < 4) return undefined;
      // The signature covers the four parts; buffers may follow.
      if (key && sign(parts) !== frames[at + 1].toString()) return undefined;
      try {
        const [header, , metadata, content] = parts.map((part) => JSON.parse(part.toString('utf8')));
        return {identities: frames.slice(0, at), header, metadata, content};
      } catch {
        return undefined;
      }
    },
  };
}
