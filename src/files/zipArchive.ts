import {Readable} from 'node:stream';
import {fromRandomAccessReaderPromise, RandomAccessReader, type Entry} from 'yauzl';
import {InputError} from '../common/errors';
import {printableName} from '../common/printable';
import {readBytes, type BinaryFile} from './binaryFile';
import {crc32Of} from './checksum';

/** The members of a zip archive by name; none is read yet. */
export interface ZipArchive {
  names: string[];
  /**
   * Where an uncompressed member lies in the file; its bytes agree with its CRC-32. A checksum is computed once a member.
   * @throws InputError where it is missing, compressed, encrypted or shorter than `atLeast`, or does not fit its checksum
   */
  locate(name: string, atLeast?: number): Promise<{position: number; length: number}>;
}

/** Each takes some hundred bytes of memory. */
const MAX_ENTRIES = 50_000;
/** Bytes of a local header before its name. */
const LOCAL_HEADER = 30;

/**
 * Reads an archive's directory, 64-bit sizes included.
 * @param again what to do about a compressed member
 * @throws InputError for one that is damaged, truncated or has too many members, two members of one name, or members that
 *   overlap
 */
export async function readZipDirectory(
  file: BinaryFile,
  again = 'load and save the file again with PyTorch',
): Promise<ZipArchive> {
  const damaged = (error: unknown) =>
    new InputError(
      `${file.name} is a damaged or truncated zip archive: ${error instanceof Damage ? error.message : unzipWords(error as Error)}`,
    );
  const entries = new Map<string, Entry>();
  const zip = await fromRandomAccessReaderPromise(new BoundedReader(file), file.size, {autoClose: false}).catch(
    (error: unknown) => {
      throw damaged(error);
    },
  );
  if (zip.entryCount > MAX_ENTRIES) {
    throw new InputError(`${file.name} is a zip archive of ${zip.entryCount} files; ${MAX_ENTRIES} is the limit`);
  }
  try {
    for await (const entry of zip.eachEntry()) {
      if (entries.has(entry.fileName)) throw new Damage(`it has two members "${printableName(entry.fileName)}"`);
      entries.set(entry.fileName, entry);
    }
    checkApart([...entries.values()], file.size);
  } catch (error) {
    throw damaged(error);
  }
  // A writer that is told to leave checksums out (torch.serialization.set_crc32_options) writes none at all.
  const checked = [...entries.values()].some((entry) => entry.crc32 !== 0);
  const places = new Map<string, {position: number; length: number}>();

  const place = async (entry: Entry) => {
    const name = printableName(entry.fileName);
    if (entry.compressionMethod !== 0 || entry.isEncrypted() || entry.compressedSize !== entry.uncompressedSize) {
      throw new InputError(`"${name}" in ${file.name} is compressed or encrypted, which is not read; ${again}`);
    }
    const header = await zip.readLocalFileHeaderPromise(entry).catch((error: unknown) => {
      throw damaged(error);
    });
    if (!header.fileName.equals(entry.fileNameRaw)) {
      throw damaged(
        new Damage(`its member "${name}" is called "${printableName(header.fileName.toString())}" elsewhere`),
      );
    }
    const found = {position: header.fileDataStart, length: entry.compressedSize};
    if (found.position + found.length > file.size) throw damaged(new Damage(`its member "${name}" is cut off`));
    if (checked && (await crc32Of(file, found.position, found.length)) !== entry.crc32) {
      throw damaged(
        new Damage(`the bytes of its member "${name}" do not fit their checksum; copy or download the file again`),
      );
    }
    return found;
  };
  return {
    names: [...entries.keys()],
    async locate(name, atLeast = 0) {
      const entry = entries.get(name);
      if (!entry) {
        throw new InputError(
          `${file.name} is damaged: it lacks "${printableName(name)}", which its pickled part names`,
        );
      }
      if (entry.compressedSize < atLeast) {
        throw new InputError(
          `"${printableName(name)}" in ${file.name} has ${entry.compressedSize} bytes, and ${atLeast} are wanted; the file is damaged`,
        );
      }
      const found = places.get(name) ?? (await place(entry));
      places.set(name, found);
      return found;
    },
  };
}

/** What is wrong with an archive, in words of this file. */
class Damage extends Error {}

/** The library's messages speak of the parts of a zip archive by their names in its specification. */
function unzipWords({message}: Error): string {
  if (/end of central directory|truncated/i.test(message)) return 'its end is missing; copy or download the file again';
  if (/multi-?disk/i.test(message)) return 'it is one of several parts; put them together first';
  if (/encrypt/i.test(message)) return 'it is encrypted; unpack it first';
  return 'its directory is damaged; copy or download the file again';
}

/** Members follow each other: bytes that belong to two of them could be read as different things. */
function checkApart(entries: readonly Entry[], size: number): void {
  const inOrder = [...entries].sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  inOrder.forEach((entry, i) => {
    const name = printableName(entry.fileName);
    const end = entry.relativeOffsetOfLocalHeader + LOCAL_HEADER + entry.fileNameRaw.length + entry.compressedSize;
    if (end > size) throw new Damage(`its member "${name}" ends at byte ${end} of ${size}`);
    const next = inOrder.at(i + 1);
    if (next && end > next.relativeOffsetOfLocalHeader) {
      throw new Damage(`its members "${name}" and "${printableName(next.fileName)}" overlap`);
    }
  });
}

/** yauzl's own reader throws outside of its promises where a damaged archive sends it beyond the file. */
class BoundedReader extends RandomAccessReader {
  constructor(private readonly file: BinaryFile) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    readBytes(this.file, position, length).then(
      (bytes) => {
        buffer.set(bytes, offset);
        setImmediate(callback, null, length);
      },
      () => setImmediate(callback, new Damage(`its directory points to byte ${position} of ${this.file.size}`)),
    );
  }

  override _readStreamForRange(): Readable {
    throw new Error('members are read by position');
  }
}
