// Watch lists, areas and sky maps: what users mark on the sky so that alerts there are found. Made by ingest/marks, kept by
// stores/, read by filters as watch.<name>, area.<name>, skymap.<name>.
import { TocsinError } from "./errors.js";
import type { CellDistances } from "./skymap.distance.js";
import type { Viewer } from "./viewer.js";

export type MarkKind = "WATCH_LIST" | "AREA" | "SKYMAP";
/** Retracted: a sky map whose event was none. It marks nothing any more, and filters that read it go on without it. */
export type MarkState = "ACTIVE" | "RETRACTED" | "REMOVED";

/** The first part of a mark's operands. */
export const MARK_PREFIX: Readonly<Record<MarkKind, string>> = {
  WATCH_LIST: "watch",
  AREA: "area",
  SKYMAP: "skymap",
};

/** As filters write it: watch.mine. */
export const markOperand = ({ kind, name }: Pick<Mark, "kind" | "name">): string => `${MARK_PREFIX[kind]}.${name}`;

/** What a sky map is about and when it marks. */
export interface SkymapEvent {
  /** The event's own name. */
  readonly event: string | null;
  /** JD UTC of the event. */
  readonly jd: number;
  /** Alerts of [startJd, endJd) are marked. */
  readonly startJd: number;
  readonly endJd: number;
  /** Square degrees of the 50 % and of the 90 % credible region. */
  readonly area50: number;
  readonly area90: number;
  readonly distanceMpc: number | null;
  readonly distanceErrorMpc: number | null;
}

export interface Mark {
  /** For ever; names may change. */
  readonly id: string;
  readonly kind: MarkKind;
  /** In filters: a letter, then letters, digits and _. One of its kind has it. */
  readonly name: string;
  readonly description: string;
  /** Whose it is: a viewer's scope. */
  readonly scope: string;
  /** Everybody may read it and filter by it; otherwise its own scope only. */
  readonly isShared: boolean;
  readonly state: MarkState;
  /** From 1: each replacement is another one. */
  readonly revision: number;
  /** Names the rows of what it holds, for ever: each replacement has another one. */
  readonly content: string;
  /** Positions of a list, ranges of pixels of an area, cells of a sky map. */
  readonly size: number;
  /** Part of the sky of an area, 0 to 1; else null. */
  readonly fraction: number | null;
  /** Of a sky map; else null. */
  readonly skymap: SkymapEvent | null;
  /** Archived alerts from this JD on are marked too. */
  readonly pastFromJd: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly changedAt: number;
}

export const MAX_POSITIONS = 1_000_000;
export const MAX_WATCH_RADIUS_ARCSEC = 300;
export const MAX_ENTRY_NAME = 100;
/** Of one kind. */
export const MAX_MARKS = 200;
/** Positions and cells of all active marks of a kind, which every process that ingests holds in memory. */
export const MAX_HELD = 5_000_000;
/** The nearest positions of a list that an alert is told of. */
export const MAX_WATCH_MATCHES = 100;

/** Throws BAD_ARGUMENT. */
export function requireMarkName(name: string): string {
  if (/^[A-Za-z]\w{0,63}$/.test(name)) return name;
  throw new TocsinError(
    "BAD_ARGUMENT",
    `A name is a letter, then letters, digits and _, at most 64, found ${JSON.stringify(name.slice(0, 80))}.`,
  );
}

export const maySeeMark = (viewer: Viewer, { scope, isShared }: Mark): boolean => isShared || scope === viewer.scope;
/** Only its owner changes it. */
export const mayChangeMark = (viewer: Viewer, { scope }: Mark): boolean => viewer.mayChange && scope === viewer.scope;

/** Positions of a watch list: columns of one length. */
export interface WatchedPositions {
  readonly names: readonly string[];
  /** Degrees ICRS. */
  readonly ra: Float64Array;
  readonly dec: Float64Array;
  readonly radiusArcsec: Float32Array;
}

/** Runs of order-29 nested pixels, rising and apart; of an area every level is 1, of a sky map the credible level. */
export interface MarkedCells {
  readonly start: BigUint64Array;
  readonly end: BigUint64Array;
  readonly level: Float64Array;
  /** Of a sky map that tells distances. */
  readonly distance?: CellDistances;
}
