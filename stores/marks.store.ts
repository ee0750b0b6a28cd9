// Watch lists, areas and sky maps: the registry that all processes follow, what each holds, and the alerts that they have
// marked. Implemented by stores/archive; written by ingest/marks.
import type { Block } from "../domain/columns.js";
import type { Mark, MarkedCells, MarkKind, WatchedPositions } from "../domain/mark.js";
import type { Moc } from "../domain/moc.js";
import type { ReadSkymap } from "../domain/skymap.fits.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

/** An alert that a mark holds. */
export interface MarkedAlert {
  readonly jd: number;
  readonly candid: bigint;
  /** Credible level of a sky map at the alert's position; else null. */
  readonly level: number | null;
  /** Of a sky map that tells it, at the alert's position; else null. */
  readonly distance: { readonly meanMpc: number; readonly sigmaMpc: number } | null;
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
  /** The last state of the mark that had this content; null where none had it (yet). */
  stateWith(content: string): Promise<Mark | null>;
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
  /** Names of all of which anything is kept. */
  names(): Promise<string[]>;
  /** Remove it and the marks that it made: it was replaced, or never finished. */
  drop(content: string): Promise<void>;
}

export interface MarkedStore {
  /** Rows as ingest/marks/rows.ts makes them, of alerts that are archived already. */
  write(survey: Survey, batchId: bigint, rows: Block): Promise<void>;
  /** Some 10,000 marked alerts are looked at, from after `afterJd` on; `other` null: against nothing. */
  difference(content: string, other: string | null, survey: Survey, afterJd: number): Promise<MarkDifference>;
  /** Newest first, each alert once; whether its batch is committed and who may see it is the reader's to ask. */
  page(
    content: string,
    survey: Survey,
    first: number,
    after: { readonly jd: number; readonly candid: bigint } | null,
  ): Promise<MarkedAlert[]>;
}

/** Part of the alerts that two contents do not mark in the same way. */
export interface MarkDifference {
  readonly alerts: readonly { readonly objectId: string; readonly jd: number; readonly candid: bigint }[];
  /** Alerts up to this time were looked at; null: there are no later ones. */
  readonly upToJd: number | null;
}

export interface MarkStores {
  readonly registry: MarkRegistry;
  readonly contents: MarkContents;
  readonly marked: MarkedStore;
}

/** What is said of a mark beside what it holds; what is absent stays as it is, or is "", private, and all the past. */
export interface MarkAbout {
  readonly name: string;
  readonly description?: string;
  readonly isShared?: boolean;
  /** Archived alerts of so many days are marked too; null: all. */
  readonly pastDays?: number | null;
}

export interface SkymapAbout extends MarkAbout {
  /** Where the file does not tell. */
  readonly event?: string;
  readonly jd?: number;
  /** Days around the event: 0 and 14 unless told, now or when the map was given first. */
  readonly daysBefore?: number;
  readonly daysAfter?: number;
}

export interface MarkChange {
  readonly name?: string;
  readonly description?: string;
  readonly isShared?: boolean;
}

/**
 * Where users' marks are taken in, changed and withdrawn: ingest/marks/desk.ts. Throws NOT_ALLOWED, BAD_MARK, BAD_ARGUMENT
 * (names), UNKNOWN_MARK.
 */
export interface MarkDesk {
  /** Those that the viewer may see, by name. */
  list(viewer: Viewer, kind: MarkKind): Mark[];
  get(viewer: Viewer, kind: MarkKind, name: string): Mark | null;
  /** Names as filters write them (watch.mine) of those that the viewer may not see. */
  hidden(viewer: Viewer): ReadonlySet<string>;
  /** A new list, or another content of one. In force when this resolves, in other processes within about two seconds. */
  putList(viewer: Viewer, about: MarkAbout, blocks: AsyncIterable<WatchedPositions>): Promise<Mark>;
  putArea(viewer: Viewer, about: MarkAbout, moc: Moc): Promise<Mark>;
  /** A new map, or a revision of one: alerts are marked by it from now on, and those of the past again. */
  putSkymap(viewer: Viewer, about: SkymapAbout, map: ReadSkymap): Promise<Mark>;
  /** Filters that read it by its former name are broken until they are changed. */
  change(viewer: Viewer, kind: MarkKind, name: string, change: MarkChange): Promise<Mark>;
  /** The event was none: the map marks nothing any more, and its marks of the past are gone. */
  retract(viewer: Viewer, name: string): Promise<Mark>;
  remove(viewer: Viewer, kind: MarkKind, name: string): Promise<Mark>;
}
