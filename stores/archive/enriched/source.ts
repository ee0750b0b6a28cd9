// Archived alerts with the columns that compiled filters read: the alert table's own, and those that enrichment brought,
// each room's from its own tables by its EnrichedSource. Called by ../backtest.ts and ../alerts.page.ts.
import { TocsinError } from "../../../domain/errors.js";
import type { Survey } from "../../../domain/survey.js";
import type { ArchiveExpression } from "../../backtest.store.js";
import { type AlertTable, FEW_VALUES } from "../alerts.table.js";
import type { ExternalTable, Parameter } from "../client.js";
import { quoted } from "../http.form.js";

/** Which alerts of one survey are read. */
export interface EnrichedWindow {
  readonly survey: Survey;
  /** The survey's alert table. */
  readonly table: AlertTable;
  /** [startJd, endJd) holds every alert of the window; either may be infinite where an object or a cone bounds it. */
  readonly startJd: number;
  readonly endJd: number;
  /** Condition over the alert table's columns that chooses the alerts, the times included, with its bound values. */
  readonly where: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /**
   * A compiled text over the alert table's columns that the alerts must pass, each in its latest row; null: all do. What
   * no source needs to be asked for.
   */
  readonly passing?: ArchiveExpression | null;
  /**
   * A table that goes with the statement and holds the alerts by themselves, with the own columns that are read: they have
   * been chosen before, and `where` and `passing` are not asked again.
   */
  readonly asked?: ExternalTable;
}

/**
 * What one room gives for the alerts of a window. Each alert has at most one row in it; where it has none, values are
 * NULL and lists empty. So values are Nullable columns and lists are Arrays.
 */
export interface EnrichedSelect {
  /**
   * A SELECT without ORDER BY and SETTINGS. With jd and candid where `key` is "alert", with objectId where it is "object".
   * Rows of other alerts or objects do no harm but cost. Within it, the window's alerts are `keysOf(window, …)`: a
   * sub-query over a table that lies by objectId, as the annexes do, so each shard answers for itself.
   */
  readonly sql: string;
  /** Bound values. Their names begin with the room's own, so that they are nobody else's. */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Tables that it reads and that go with the statement, by names that begin with the room's own. */
  readonly external?: readonly ExternalTable[];
  readonly key: "alert" | "object";
  /**
   * SQL of a column where it is not simply the select's column of that name. It may read the select's columns as
   * `r.name` and jd, candid, objectId and programid of the alert as `l.name`: points of an object become the list of one of
   * its alerts here.
   */
  readonly columns?: ReadonlyMap<string, string>;
}

/** One file of this folder for each room whose values filters may read. */
export interface EnrichedSource {
  /** Whether the column, by the name that compiled texts read, comes from this room: by prefix or by list. */
  brings(column: string, survey: Survey): boolean;
  /** These columns, all of which it brings, and no others: what is not read is not to be paid for. */
  select(window: EnrichedWindow, columns: readonly string[]): EnrichedSelect | Promise<EnrichedSelect>;
}

/** Text that stands where a table may stand, with its bound values and the tables that go with the statement. */
export interface EnrichedAlerts {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly external: readonly ExternalTable[];
}

/** Columns of every alert that sources may join by and results are told by. */
export const ENRICHED_KEYS = ["jd", "candid", "objectId", "programid"] as const;

/** SELECT of some of jd, candid, objectId, programid of the window's alerts: for sub-queries of sources. May repeat rows. */
export function keysOf(window: EnrichedWindow, ...columns: (typeof ENRICHED_KEYS)[number][]): string {
  const { table, where, passing, asked } = window;
  if (asked !== undefined) return `SELECT ${columns.join(", ")} FROM ${quoted(asked.name)}`;
  // The alias is for clusters, as in ../alerts.page.ts.
  return `SELECT ${columns.join(", ")} FROM ${quoted(table.name)} AS chosen WHERE ${where}${passing ? ` AND (${passing.sql})` : ""}`;
}

/**
 * `(SELECT …)` with one row for each alert of the window whose batch is committed, in no order: ENRICHED_KEYS and the named columns.
 * Of an alert that was written more than once, the latest committed row. Its parameters are the window's and the sources'.
 */
export async function enrichedAlerts(
  sources: readonly EnrichedSource[],
  window: EnrichedWindow,
  columns: Iterable<string>,
): Promise<EnrichedAlerts> {
  const { table, survey } = window;
  const own = new Set<string>(ENRICHED_KEYS);
  const brought = new Map<EnrichedSource, string[]>();
  for (const column of new Set(columns)) {
    if (table.columns.has(column)) {
      own.add(column);
      continue;
    }
    const source = sources.find((one) => one.brings(column, survey));
    if (source === undefined) {
      throw new TocsinError("INTERNAL", `Nothing in the archive gives ${column} for alerts of ${survey}.`);
    }
    brought.set(source, [...(brought.get(source) ?? []), column]);
  }
  const external = window.asked === undefined ? [] : [window.asked];
  let alerts: EnrichedAlerts = { sql: ownColumns(window, [...own]), parameters: window.parameters, external };
  const names = [...own];
  for (const [source, wanted] of brought) {
    alerts = joined(alerts, names, await source.select(window, wanted), wanted);
    names.push(...wanted);
  }
  return { ...alerts, sql: `(${alerts.sql})` };
}

function ownColumns({ table, where, passing, asked }: EnrichedWindow, columns: readonly string[]): string {
  if (asked !== undefined) return `SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(asked.name)}`;
  const read = [...new Set([...columns, ...(passing?.columns ?? [])])];
  // As plain text, which alerts of the stream have.
  const plain = (name: string) => (FEW_VALUES.has(name) ? `CAST(${quoted(name)}, 'String') AS ` : "") + quoted(name);
  const latest = `SELECT ${read.map(plain).join(", ")} FROM ${quoted(table.name)}
    WHERE (${where}) AND batch GLOBAL IN (SELECT batch FROM batches)
    ORDER BY jd, candid, batch DESC LIMIT 1 BY jd, candid`;
  return passing ? `SELECT ${columns.map(quoted).join(", ")} FROM (${latest}) WHERE ${passing.sql}` : latest;
}

/** One source after the other, each join of two tables: the older planner would rewrite longer ones and rename columns. */
function joined(
  alerts: EnrichedAlerts,
  names: readonly string[],
  { sql, parameters, external = [], key, columns }: EnrichedSelect,
  wanted: readonly string[],
): EnrichedAlerts {
  const list = [
    ...names.map((name) => `l.${quoted(name)} AS ${quoted(name)}`),
    ...wanted.map((name) => `${columns?.get(name) ?? `r.${quoted(name)}`} AS ${quoted(name)}`),
  ];
  const on = key === "object" ? "l.objectId = r.objectId" : "l.jd = r.jd AND l.candid = r.candid";
  return {
    sql: `SELECT ${list.join(", ")} FROM (${alerts.sql}) AS l ANY LEFT JOIN (${sql}) AS r ON ${on}`,
    parameters: { ...alerts.parameters, ...parameters },
    external: [...alerts.external, ...external],
  };
}
