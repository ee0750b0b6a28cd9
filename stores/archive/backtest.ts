// BacktestStore on ClickHouse. Made by stores.ts; the parts are backtest.*.ts.
import { TocsinError } from "../../domain/errors.js";
import type { Survey, SurveyDescription } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { AlertConditions, AlertKey, AlertStore } from "../alerts.store.js";
import type {
  ArchiveCondition,
  ArchiveExpression,
  BacktestKey,
  BacktestNight,
  BacktestPage,
  BacktestStore,
  BacktestWindow,
  Funnel,
  MatchingPage,
  Value,
} from "../backtest.store.js";
import type { AlertTable } from "./alerts.table.js";
import { costOf } from "./backtest.cost.js";
import { funnelOf } from "./backtest.funnel.js";
import { searchBackwards } from "./backtest.matching.js";
import { type AskedPage, tallied } from "./backtest.tally.js";
import { valuesOf } from "./backtest.values.js";
import { type EnrichedArchive, enrichedWindow, type Piece, partsOf, piecesOf } from "./backtest.window.js";
import type { ArchiveClient } from "./client.js";
import type { EnrichedSource, EnrichedWindow } from "./enriched/source.js";
import { visibleIn } from "./visibility.js";

/** What one request may read. */
const MOST_ALERTS = 20_000_000;
/** Rows of a piece: with lists, what an object's whole history takes decides; without, a statement's own cost. */
const PIECE_WITH_LISTS = 25_000;
const PIECE = 200_000;
/** Pieces under way at once, each on one thread of the engine. */
const AT_ONCE = 2;

export class ArchiveBacktest implements BacktestStore {
  constructor(
    private readonly client: ArchiveClient,
    private readonly surveys: ReadonlyMap<Survey, { readonly survey: SurveyDescription; readonly table: AlertTable }>,
    private readonly sources: readonly EnrichedSource[],
    private readonly alerts: Pick<AlertStore, "byCandid">,
  ) {}

  async run(
    viewer: Viewer,
    { survey, startJd, endJd }: BacktestWindow,
    condition: ArchiveCondition,
    {
      first,
      after,
      counted,
    }: { readonly first: number; readonly after: BacktestKey | null; readonly counted: boolean },
  ): Promise<BacktestPage> {
    const archive = this.#archive(viewer, survey);
    if (archive === null) return { nights: counted ? [] : null, keys: [] };
    const from = counted || after === null ? startJd : Math.max(startJd, after.jd);
    const window = enrichedWindow(archive.table, archive.visible, { startJd: from, endJd });
    const rows = partsOf(archive.table, condition).rest.length === 0 ? PIECE : PIECE_WITH_LISTS;
    const pieces = await piecesOf(this.client, window, rows);
    refuseMany(pieces);
    const nights = new Map<number, BacktestNight>();
    const keys: BacktestKey[] = [];
    const tally = (piece: Piece) => this.#tally(archive, piece, condition, { first, after, counted });
    for await (const { nights: some, keys: found } of inOrder(pieces, AT_ONCE, tally)) {
      for (const night of some) nights.set(night.night, added(nights.get(night.night), night));
      keys.push(...found.slice(0, first - keys.length));
      if (!counted && keys.length === first) break;
    }
    return { nights: counted ? [...nights.values()].sort((a, b) => a.night - b.night) : null, keys };
  }

  async matching(
    viewer: Viewer,
    where: AlertConditions & { readonly survey: Survey },
    condition: ArchiveCondition,
    first: number,
    after: AlertKey | null,
  ): Promise<MatchingPage> {
    const archive = this.#archive(viewer, where.survey);
    if (archive === null) return { alerts: [], searchedTo: null };
    const { keys, searchedTo } = await searchBackwards(archive, where, condition, first, after);
    const found = await this.alerts.byCandid(
      viewer,
      where.survey,
      keys.map(({ candid }) => candid),
    );
    return { alerts: keys.flatMap(({ candid }) => found.get(candid) ?? []), searchedTo };
  }

  async values(
    viewer: Viewer,
    survey: Survey,
    candids: readonly bigint[],
    expressions: readonly ArchiveExpression[],
  ): Promise<Map<bigint, readonly (Value | readonly Value[])[]>> {
    const archive = this.#archive(viewer, survey);
    if (archive === null || candids.length === 0) return new Map();
    return valuesOf(archive, candids, expressions);
  }

  async funnel(
    viewer: Viewer,
    survey: Survey,
    nights: number,
    conditions: readonly ArchiveExpression[],
  ): Promise<Funnel> {
    const archive = this.#archive(viewer, survey);
    const nothing = conditions.map(() => 0);
    if (archive === null) {
      const counts = { failing: nothing, failingFirst: nothing, failingOnly: nothing };
      return { nights: [], scanned: 0, oneOf: 1, passed: 0, ...counts };
    }
    return funnelOf(archive, nights, conditions);
  }

  async cost(
    viewer: Viewer,
    survey: Survey,
    expressions: readonly ArchiveExpression[],
  ): Promise<readonly number[] | null> {
    const archive = this.#archive(viewer, survey);
    return archive === null ? null : costOf(archive, expressions);
  }

  /** Null where the viewer sees nothing of the survey. */
  #archive(viewer: Viewer, id: Survey): EnrichedArchive | null {
    const known = this.surveys.get(id);
    if (known === undefined) throw new TocsinError("UNKNOWN_SURVEY", `There is no survey "${id}".`);
    const visible = visibleIn(viewer, id);
    return visible && { client: this.client, sources: this.sources, ...known, visible };
  }

  /** A piece; in halves where it needs more memory than a statement may take. */
  async #tally(
    archive: EnrichedArchive,
    piece: Piece,
    condition: ArchiveCondition,
    page: AskedPage,
  ): Promise<{ nights: BacktestNight[]; keys: BacktestKey[] }> {
    const window: EnrichedWindow = enrichedWindow(archive.table, archive.visible, piece);
    try {
      return await tallied(archive, window, condition, page);
    } catch (error) {
      const middle = (piece.startJd + piece.endJd) / 2;
      const divisible = middle > piece.startJd && middle < piece.endJd && piece.endJd - piece.startJd > SHORTEST_DAYS;
      if (!(error instanceof TocsinError && error.code === "QUERY_TOO_LARGE" && divisible)) throw error;
      const early = await this.#tally(archive, { ...piece, endJd: middle }, condition, page);
      const late = await this.#tally(archive, { ...piece, startJd: middle }, condition, page);
      return { nights: [...early.nights, ...late.nights], keys: [...early.keys, ...late.keys] };
    }
  }
}

/** A second: an exposure. Its alerts have one time and cannot be divided by it. */
const SHORTEST_DAYS = 1 / 86_400;

function refuseMany(pieces: readonly Piece[]): void {
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0);
  if (rows <= MOST_ALERTS) return;
  const [found, most] = [rows, MOST_ALERTS].map((n) => n.toLocaleString("en-US"));
  throw new TocsinError("QUERY_TOO_LARGE", `The window has ${found} alerts, one request reads at most ${most}.`, {
    remedy: "Choose a shorter window, or go through it in several requests.",
    details: { alerts: rows, most: MOST_ALERTS },
  });
}

const added = (a: BacktestNight | undefined, b: BacktestNight): BacktestNight =>
  a === undefined ? b : { night: a.night, scanned: a.scanned + b.scanned, passed: a.passed + b.passed };

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
