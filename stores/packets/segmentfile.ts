// The writing end of a segment file, past the page cache where the file system can: packets are written once and seldom
// read, and copying them into memory of the kernel cost more than decoding them. Called by segments.ts.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** What the disk takes starts and ends at multiples of this, in the file and in memory. */
export const BLOCK_BYTES = 4096;
/** One half is filled while the other is written. */
const HALF_BYTES = 4 * 1024 * 1024;
const PAGE_BYTES = 65_536;

/** Part of JavaScript, but not of the types that Node 20 comes with. */
declare const WebAssembly: {
  Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

/** Memory that begins at a multiple of BLOCK_BYTES, which no Buffer promises: two halves. */
export function alignedHalves(): readonly [Buffer, Buffer] {
  const pages = (2 * HALF_BYTES) / PAGE_BYTES;
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return [Buffer.from(buffer, 0, HALF_BYTES), Buffer.from(buffer, HALF_BYTES, HALF_BYTES)];
}

export class SegmentFile {
  private constructor(
    private readonly path: string,
    private file: FileHandle,
    private isDirect: boolean,
  ) {}

  /** A new file; EEXIST where there is one. */
  static async create(path: string): Promise<SegmentFile> {
    const file = await open(path, "wx");
    const direct = await openDirect(path).catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
    if (direct === null) return new SegmentFile(path, file, false);
    await file.close();
    return new SegmentFile(path, direct, true);
  }

  /**
   * The bytes of `parts` one after the other, from `position` (a multiple of BLOCK_BYTES), and zeros to the next multiple.
   * Resolves with the place behind all. One call at a time.
   */
  async write(parts: Iterable<Uint8Array>, position: number, halves: readonly [Buffer, Buffer]): Promise<number> {
    let [half, other] = halves;
    let used = 0;
    let at = position;
    let writing: Promise<void> = Promise.resolve();
    const send = async (): Promise<void> => {
      await writing;
      writing = this.#writeAll(half.subarray(0, used), at);
      // Looked at when the next one is sent, or at the end.
      writing.catch(() => {});
      at += used;
      used = 0;
      [half, other] = [other, half];
    };
    for (const part of parts) {
      for (let from = 0; from < part.length; ) {
        const taken = Math.min(part.length - from, half.length - used);
        half.set(part.subarray(from, from + taken), used);
        from += taken;
        used += taken;
        if (used === half.length) await send();
      }
    }
    const end = Math.ceil(used / BLOCK_BYTES) * BLOCK_BYTES;
    half.fill(0, used, end);
    used = end;
    if (used > 0) await send();
    await writing;
    return at;
  }

  /** Only a disk that fills up writes less than asked, and then the next write says so. */
  async #writeAll(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      try {
        const rest = bytes.length - done;
        done += (await this.file.write(bytes, done, rest, position + done)).bytesWritten;
      } catch (error) {
        // Some file systems open any file so and refuse later, or want larger blocks.
        if (!this.isDirect || (error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
        const file = await open(this.path, constants.O_WRONLY);
        await this.file.close();
        [this.file, this.isDirect] = [file, false];
      }
    }
  }

  async truncate(bytes: number): Promise<void> {
    await this.file.truncate(bytes);
  }
  async datasync(): Promise<void> {
    await this.file.datasync();
  }
  async close(): Promise<void> {
    await this.file.close();
  }
}

/** The file, to be written past the page cache; null where the system has no such thing. */
async function openDirect(path: string): Promise<FileHandle | null> {
  // Linux has it; other systems leave it undefined.
  const direct = constants.O_DIRECT as number | undefined;
  if (direct === undefined) return null;
  try {
    return await open(path, constants.O_WRONLY | direct);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EINVAL") return null;
    throw error;
  }
}
