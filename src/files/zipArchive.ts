import {Readable} from 'node:stream';
import {fromRandomAccessReaderPromise, RandomAccessReader, type Entry} from 'yauzl';
import {InputError} from '../common/errors';
import {readBytes, type BinaryFile} from './binaryFile';

/** The members of a zip archive by name; none is read yet. */
export interface ZipArchive {
  names: string[];
  /**
   * Where an uncompressed member lies in the file.
   * @throws InputError where it is missing, compressed, encrypted or shorter than `atLeast`
   */
  locate(name: string, atLeast?: number): Promise<{position: number; length: number}>;
}

/** Each takes some hundred bytes of memory. */
const MAX_ENTRIES = 200_000;

/**
 * Reads an archive's directory, 64-bit sizes included.
 * @throws InputError for one that is damaged, truncated or has too many members
 */
export async function readZipDirectory(file: BinaryFile): Promise<ZipArchive> {
  const damaged = (error: unknown) =>
    new InputError(`${file.name} is a damaged or truncated zip archive: ${(error as Error).message}`);
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
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
  } catch (error) {
    throw damaged(error);
  }
  return {
    names: [...entries.keys()],
    async locate(name, atLeast = 0) {
      const entry = entries.get(name);
      if (!entry) throw new InputError(`${file.name} is damaged: it lacks "${name}", which its pickled part names`);
      if (entry.compressionMethod !== 0 || entry.isEncrypted() || entry.compressedSize !== entry.uncompressedSize) {
        throw new InputError(
          `"${name}" in ${file.name} is compressed or encrypted, which torch.save does not do; load and save the file again with PyTorch`,
        );
      }
      if (entry.compressedSize < atLeast) {
        throw new InputError(
          `"${name}" in ${file.name} has ${entry.compressedSize} bytes, and ${atLeast} are wanted; the file is damaged`,
        );
      }
      const {fileDataStart} = await zip.readLocalFileHeaderPromise(entry, {minimal: true}).catch((error: unknown) => {
        throw damaged(error);
      });
      return {position: fileDataStart, length: entry.compressedSize};
    },
  };
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
      () => setImmediate(callback, new Error(`its directory points to byte ${position} of ${this.file.size}`)),
    );
  }

  override _readStreamForRange(): Readable {
    throw new Error('members are read by position');
  }
}
