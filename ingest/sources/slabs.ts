// Memory in which the packets of files lie, used again: V8 marks its whole heap for every 64 MB of new memory beside it, which
// cost 0.2 ms an alert. Made by cli/intake.ts, filled by sources/{files,blocks,tar}.ts; intake.ts says when packets are stored.

/** The size of nearly all of them: a piece of a container file (blocks.ts), or many small files. */
export const SLAB_BYTES = 36 * 1024 * 1024;
/** More than ingest has in use at once (intake.ts). */
const MOST_FREE = 24;
/** What is free for so long is given back. */
const IDLE_MS = 120_000;

/** A piece of memory with those who use it: its reader, and every packet that lies in it. */
export class Slab {
  #users = 1;

  constructor(
    readonly bytes: Buffer,
    private readonly onFree: (bytes: Buffer) => void,
  ) {}

  /** One more user. */
  hold(): void {
    this.#users += 1;
  }

  /** One user less; to be called once by each. After the last one its bytes change. A property: packets carry it. */
  readonly release = (): void => {
    this.#users -= 1;
    if (this.#users === 0) this.onFree(this.bytes);
  };
}

export class Slabs {
  #free: Buffer[] = [];
  #idle: NodeJS.Timeout | undefined;

  /** At least so many bytes, not zeroed. A slab that is never released is the garbage collector's. */
  take(bytes: number): Slab {
    if (bytes > SLAB_BYTES) return new Slab(Buffer.allocUnsafeSlow(bytes), () => {});
    return new Slab(this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES), (freed) => this.#keep(freed));
  }

  #keep(freed: Buffer): void {
    if (this.#free.length < MOST_FREE) this.#free.push(freed);
    if (this.#idle !== undefined) {
      this.#idle.refresh();
      return;
    }
    this.#idle = setTimeout(() => {
      this.#free = [];
      this.#idle = undefined;
    }, IDLE_MS);
    this.#idle.unref();
  }
}

/** A part of a slab. */
export interface Place {
  readonly bytes: Buffer;
  readonly slab: Slab;
}

/** Small files one behind the other in slabs. */
export class Places {
  #slab: Slab | null = null;
  #used = 0;

  constructor(private readonly slabs: Slabs) {}

  take(bytes: number): Place {
    if (this.#slab === null || this.#used + bytes > this.#slab.bytes.length) {
      this.close();
      this.#slab = this.slabs.take(bytes);
    }
    const place = { bytes: this.#slab.bytes.subarray(this.#used, this.#used + bytes), slab: this.#slab };
    this.#used += bytes;
    return place;
  }

  /** Nothing more is put into the last slab. */
  close(): void {
    this.#slab?.release();
    this.#slab = null;
    this.#used = 0;
  }
}
