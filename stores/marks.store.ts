// Watch lists, areas and sky maps: the registry that all processes follow, what each holds, and the alerts that they have
// marked. Implemented by stores/archive; written by ingest/marks.
import type { Block } from "../domain/columns.js";
import type { Mark, MarkedCells, WatchedPositions } from "../domain/mark.js";
import type { Survey } from "../domain/survey.js";

/** An alert that a mark holds. */
export interface MarkedAlert {
  readonly jd: number;
  readonly candid: bigint;
  /** Credible level of a sky map at the alert's position; else null. */
  readonly level: number | null;
  /** Of a watch list, nearest first; else empty. */
  readonly positions: readonly {
    readonly name: string;
    readonly ra: number;
    readonly dec: number;
    readonly separationArcsec: number;
  }[];
}

/** A change of a mark, as it stood afterwards. In the order of `changedAt` and `id`. */
export type MarkEvent = Mark;

export interface MarkRegistry {
  /** Every mark that is not removed, retracted ones too, as last heard of: no query. By name. */
  all(): readonly Mark[];
  /** The listener is called after all() has changed, whoever changed it; the function ends it. */
  onChange(listener: () => void): () => void;
  /** Ask the registry now. */
  refresh(): Promise<void>;
  /** From now on changes by other processes are heard of too, within about a second. The function ends it. */
  follow(): () => void;
  /** A new state of a mark; listeners have heard of it when this resolves. Its changedAt is set here. */
  save(mark: Mark): Promise<Mark>;
  /** Changes after one, oldest first. */
  events(after: { changedAt: number; id: string } | null, first: number): Promise<MarkEvent[]>;
}

/** Rows are named by Mark.content. */
export interface MarkContents {
  /** At most 500,000 at a time; `firstRow` counts from 0. Sent again they change nothing. */
  addPositions(content: string, firstRow: number, positions: WatchedPositions): Promise<void>;
  addCells(content: string, cells: MarkedCells): Promise<void>;
  /** In their order, in blocks. */
  positions(content: string): AsyncIterable<WatchedPositions>;
  cells(content: string): Promise<MarkedCells>;
  /** Remove it and the marks that it made: it was replaced, or never finished. */
  drop(content: string): Promise<void>;
}

export interface MarkedStore {
  /** Rows as ingest/marks/rows.ts makes them, of alerts that are archived already. */
  write(survey: Survey, batchId: bigint, rows: Block): Promise<void>;
  /** Newest first, each alert once; whether its batch is committed and who may see it is the reader's to ask. */
  page(
    content: string,
    survey: Survey,
    first: number,
    after: { readonly jd: number; readonly candid: bigint } | null,
  ): Promise<MarkedAlert[]>;
}

export interface MarkStores {
  readonly registry: MarkRegistry;
  readonly contents: MarkContents;
  readonly marked: MarkedStore;
}
