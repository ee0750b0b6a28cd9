// A condition over a window: in pieces by time, and where histories are read in pieces by object, so that each history is
// read once. Called by backtest.ts.
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import { takeRows } from "../../domain/rows.js";
import type {
  ArchiveCondition,
  ArchiveExpression,
  BacktestKey,
  BacktestPage,
  BacktestWindow,
} from "../backtest.store.js";
import { type Counts, chosenOf, passingOf, scannedOf } from "./backtest.tally.js";
import { allOf, type EnrichedArchive, enrichedWindow, type Piece, partsOf, piecesOf } from "./backtest.window.js";
import type { EnrichedWindow } from "./enriched/source.js";

/** What one request may read. */
const MOST_ALERTS = 20_000_000;
/** Rows of a piece by time. */
const PIECE = 200_000;
const PIECE_OF_OBJECTS = 500_000;
/** Without counts the first pages are wanted soon. */
const FIRST_PIECE = 20_000;
/** Alerts of a piece by object: with lists of some hundred points they take some hundred MB. */
const CHUNK = 10_000;
/** Pieces under way at once, each on one thread of the engine. */
const AT_ONCE = 2;

export interface AskedPage {
  readonly first: number;
  readonly after: BacktestKey | null;
  /** Whether nights are asked for: all alerts of the window are counted then. */
  readonly counted: boolean;
}

/** What a piece adds; `scanned` is empty where it was not asked for. */
interface Tally {
  readonly scanned: Counts;
  readonly passed: Counts;
  readonly keys: readonly BacktestKey[];
}

export async function backtested(
  archive: EnrichedArchive,
  { startJd, endJd }: Pick<BacktestWindow, "startJd" | "endJd">,
  condition: ArchiveCondition,
  page: AskedPage,
): Promise<BacktestPage> {
  const { first, after, counted } = page;
  const { own, rest } = partsOf(archive.table, condition);
  const from = counted || after === null ? startJd : Math.max(startJd, after.jd);
  const window: EnrichedWindow = {
    ...enrichedWindow(archive.table, archive.visible, { startJd: from, endJd }),
    passing: own,
  };
  const rows = counted ? (rest.length === 0 ? PIECE : PIECE_OF_OBJECTS) : FIRST_PIECE;
  const pieces = await piecesOf(archive.client, window, rows);
  refuseMany(pieces);
  const work = (piece: Piece) => tallied(archive, { ...window, ...inTime(window, piece) }, rest, page);
  const [scanned, passed] = [new Map<number, number>(), new Map<number, number>()];
  const keys: BacktestKey[] = [];
  // Pieces by object run beside one another already.
  for await (const tally of inOrder(pieces, rest.length === 0 ? AT_ONCE : 1, work)) {
    add(scanned, tally.scanned);
    add(passed, tally.passed);
    keys.push(...tally.keys.slice(0, first - keys.length));
    if (!counted && keys.length === first) break;
  }
  const nights = [...scanned].map(([night, alerts]) => ({ night, scanned: alerts, passed: passed.get(night) ?? 0 }));
  return { nights: counted ? nights.sort((a, b) => a.night - b.night) : null, keys };
}

function refuseMany(pieces: readonly Piece[]): void {
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0);
  if (rows <= MOST_ALERTS) return;
  const [found, most] = [rows, MOST_ALERTS].map((n) => n.toLocaleString("en-US"));
  throw new TocsinError("QUERY_TOO_LARGE", `The window has ${found} alerts, one request reads at most ${most}.`, {
    remedy: "Choose a shorter window, or go through it in several requests.",
    details: { alerts: rows, most: MOST_ALERTS },
  });
}

const inTime = ({ parameters }: EnrichedWindow, { startJd, endJd }: Piece) => ({
  ...{ startJd, endJd },
  parameters: { ...parameters, startJd, endJd },
});

/** A piece by time: at once where alerts' own columns decide, else what they leave in pieces by object. */
async function tallied(
  archive: EnrichedArchive,
  window: EnrichedWindow,
  rest: readonly ArchiveExpression[],
  { first, after, counted }: AskedPage,
): Promise<Tally> {
  const scanned: Counts = counted ? await scannedOf(archive, { ...window, passing: null }) : new Map();
  const all = allOf(rest);
  if (rest.length === 0) return { scanned, ...(await passingOf(archive, window, all, first, after)) };
  const chosen = await chosenOf(archive, window, all.columns);
  const chunks = Array.from(
    { length: Math.ceil(chosen.rows / CHUNK) },
    (_, n) => [n * CHUNK, (n + 1) * CHUNK] as const,
  );
  const passed = new Map<number, number>();
  let keys: BacktestKey[] = [];
  const work = ([from, to]: readonly [number, number]) =>
    passingOfSome(archive, window, all, first, after, some(chosen, from, to));
  for await (const chunk of inOrder(chunks, AT_ONCE, work)) {
    add(passed, chunk.passed);
    keys = [...keys, ...chunk.keys].sort(oldestFirst).slice(0, first);
  }
  return { scanned, passed, keys };
}

/** In halves where it needs more memory than a statement may take. */
async function passingOfSome(
  archive: EnrichedArchive,
  window: EnrichedWindow,
  condition: ArchiveExpression,
  first: number,
  after: BacktestKey | null,
  chosen: Block,
): Promise<{ passed: Counts; keys: readonly BacktestKey[] }> {
  try {
    return await passingOf(archive, window, condition, first, after, chosen);
  } catch (error) {
    if (!(error instanceof TocsinError && error.code === "QUERY_TOO_LARGE" && chosen.rows > 1)) throw error;
    const half = chosen.rows >> 1;
    const passed = new Map<number, number>();
    const keys: BacktestKey[] = [];
    for (const part of [some(chosen, 0, half), some(chosen, half, chosen.rows)]) {
      const tally = await passingOfSome(archive, window, condition, first, after, part);
      add(passed, tally.passed);
      keys.push(...tally.keys);
    }
    return { passed, keys };
  }
}

const some = (block: Block, from: number, to: number): Block =>
  takeRows(
    block,
    Uint32Array.from({ length: Math.min(to, block.rows) - from }, (_, n) => from + n),
  );

const oldestFirst = (a: BacktestKey, b: BacktestKey): number => a.jd - b.jd || (a.candid < b.candid ? -1 : 1);

function add(counts: Map<number, number>, more: Counts): void {
  for (const [night, count] of more) counts.set(night, (counts.get(night) ?? 0) + count);
}

/** Results in the order of the items, so many under way at once; none is begun after the caller stops. */
async function* inOrder<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const begun: Promise<Result>[] = [];
  try {
    for (let next = 0; next < items.length || begun.length > 0; ) {
      while (begun.length < atOnce && next < items.length) begun.push(work(items[next++]!));
      yield await begun.shift()!;
    }
  } finally {
    // A failure of one that nobody waits for any more is nobody's.
    for (const other of begun) other.catch(() => {});
  }
}
