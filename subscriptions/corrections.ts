// Corrections to everybody who listens: what is behind a cursor first, then what comes, each once, in the order of their
// numbers. Every listener reads from the archive at its own pace, so nothing is queued for it; who asks for the same at the
// same place shares what is read. Made by cli/; resolvers/correction listens.
import { setTimeout as delay } from "node:timers/promises";
import pLimit from "p-limit";
import type { StoredCorrection } from "../domain/correction.js";
import { TocsinError } from "../domain/errors.js";
import type { Viewer } from "../domain/viewer.js";
import type { CorrectionConditions, CorrectionStore } from "../stores/corrections.store.js";
import { withinRequest } from "../stores/request.js";
import { createHitCursors, type HitCursors } from "./cursor.js";

/** How often the archive is asked for new ones while anybody listens. */
const POLL_MS = 500;
const PAGE = 250;
const SEQS = 5_000;
const READS_AT_ONCE = 4;

export interface CorrectionRequest {
  readonly viewer: Viewer;
  /** Asked for each page: what a watch list holds may have been replaced meanwhile. */
  readonly where: () => CorrectionConditions;
  /** Every one with a higher number comes first; null: only what comes from now on. */
  readonly after: bigint | null;
  /** Of those that were read, the ones to be told; absent: all. */
  readonly chosen?: (corrections: readonly StoredCorrection[]) => Promise<readonly StoredCorrection[]>;
}

export interface CorrectionFeedParts {
  readonly corrections: Pick<CorrectionStore, "page" | "seqsAfter" | "lastSeq">;
  /** 16 bytes of which the key of cursors is made. */
  readonly key: Uint8Array;
  /** How long a number that the archive does not show, though it shows later ones, is waited for. */
  readonly gapMs: number;
  /** More get TOO_MANY_SUBSCRIPTIONS. */
  readonly maxListeners: number;
}

export interface CorrectionFeed {
  readonly cursors: HitCursors;
  /** Subscriptions in progress. */
  readonly listeners: number;
  /** Nothing is read before somebody iterates. Throws BAD_CURSOR where `after` is ahead, and TOO_MANY_SUBSCRIPTIONS. */
  listen(request: CorrectionRequest): Promise<CorrectionStream>;
  /** There may be new ones. Returns at once. */
  wake(): void;
  close(): void;
}

interface Page {
  readonly corrections: readonly StoredCorrection[];
  /** Nothing more of what was asked for is up to here. */
  readonly upTo: bigint;
}

/** What a stream has of its feed. */
interface Source {
  begun(stream: CorrectionStream): void;
  ended(stream: CorrectionStream): void;
  /** Resolves when there may be something behind it, or streams end. */
  changed(after: bigint): Promise<void>;
  read(after: bigint): Promise<Page>;
}

export class CorrectionStream implements AsyncIterableIterator<StoredCorrection, undefined> {
  #waiting: readonly StoredCorrection[] = [];
  #begun = false;
  #over = false;

  constructor(
    private position: bigint,
    private readonly source: Source,
  ) {}

  async next(): Promise<IteratorResult<StoredCorrection, undefined>> {
    if (!this.#begun && !this.#over) this.source.begun(this);
    this.#begun = true;
    while (!this.#over) {
      const [first, ...rest] = this.#waiting;
      if (first !== undefined) {
        this.#waiting = rest;
        return { done: false, value: first };
      }
      await this.source.changed(this.position);
      if (this.#over) break;
      const { corrections, upTo } = await this.source.read(this.position);
      this.#waiting = corrections;
      this.position = upTo;
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<StoredCorrection, undefined>> {
    this.end();
    return { done: true, value: undefined };
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = [];
    this.source.ended(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export function createCorrectionFeed({ corrections, key, gapMs, maxListeners }: CorrectionFeedParts): CorrectionFeed {
  // Another key than that of hits: a cursor of the one is none of the other.
  const cursors = createHitCursors(
    key.map((byte) => byte ^ 0xa5),
    "corrections",
  );
  const listeners = new Set<CorrectionStream>();
  const pages = new Map<string, Promise<Page>>();
  const reading = pLimit(READS_AT_ONCE);
  const closed = new AbortController();
  /** All up to here can be read. */
  let head: bigint | null = null;
  let missingSince: number | null = null;
  let following = false;
  const woken: (() => void)[] = [];
  let hear = () => {};

  /** Moves the head over what can be read without a gap. True: there is more. */
  async function advance(from: bigint): Promise<boolean> {
    const seqs = await corrections.seqsAfter(from, SEQS);
    const end = seqs.findIndex((seq, n) => seq !== from + BigInt(n + 1));
    if (end === -1) {
      missingSince = null;
      head = seqs.at(-1) ?? from;
      return seqs.length === SEQS;
    }
    missingSince ??= performance.now();
    const isGivenUp = performance.now() - missingSince >= gapMs;
    if (isGivenUp) missingSince = null;
    head = isGivenUp ? seqs.at(-1)! : from + BigInt(end);
    return false;
  }

  /** Looks while anybody listens. */
  async function follow(): Promise<void> {
    while (listeners.size > 0 && !closed.signal.aborted) {
      const before = head;
      let more = false;
      try {
        if (head === null) head = await corrections.lastSeq();
        else more = await advance(head);
      } catch {
        // The archive is away: whoever waits, waits on.
      }
      if (head !== before) tellAll();
      if (!more)
        await Promise.race([
          nudged(),
          delay(POLL_MS, undefined, { ref: false, signal: closed.signal }).catch(() => {}),
        ]);
    }
    head = null;
  }

  function nudged(): Promise<void> {
    return new Promise((resolve) => {
      hear = resolve;
    });
  }

  function tellAll(): void {
    for (const tell of woken.splice(0)) tell();
  }

  function start(): void {
    if (following) return;
    following = true;
    void follow().finally(() => {
      following = false;
      if (listeners.size > 0 && !closed.signal.aborted) start();
    });
  }

  function pageOf(viewer: Viewer, where: CorrectionConditions, after: bigint, upTo: bigint): Promise<Page> {
    const identity = JSON.stringify([viewer.scope, where, String(after)]);
    let page = pages.get(identity);
    if (page === undefined) {
      page = reading(() => withinRequest(closed.signal, () => corrections.page(viewer, where, PAGE, after, upTo)))
        .then((found) => ({ corrections: found, upTo: found.length < PAGE ? upTo : found.at(-1)!.seq }))
        .finally(() => pages.delete(identity));
      pages.set(identity, page);
    }
    return page;
  }

  return {
    cursors,
    get listeners() {
      return listeners.size;
    },
    async listen({ viewer, where, after, chosen }) {
      if (listeners.size >= maxListeners) {
        throw new TocsinError("TOO_MANY_SUBSCRIPTIONS", `The service has ${listeners.size} subscriptions, its limit.`);
      }
      const last = await corrections.lastSeq();
      if (after !== null && after > last) {
        throw new TocsinError("BAD_CURSOR", "The cursor is ahead of this archive: it was made by another one.");
      }
      return new CorrectionStream(after ?? last, {
        begun(stream) {
          listeners.add(stream);
          start();
        },
        ended(stream) {
          listeners.delete(stream);
          tellAll();
        },
        async changed(from) {
          if (head === null || head <= from) await new Promise<void>((resolve) => woken.push(resolve));
        },
        async read(from) {
          if (head === null || head <= from) return { corrections: [], upTo: from };
          const page = await pageOf(viewer, where(), from, head);
          return chosen === undefined ? page : { ...page, corrections: await chosen(page.corrections) };
        },
      });
    },
    wake: () => hear(),
    close() {
      closed.abort();
      for (const stream of listeners) stream.end();
    },
  };
}
