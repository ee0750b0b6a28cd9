// Windows over the alerts of a survey, and their division into pieces of a bounded size. Called by backtest*.ts.
import type { SurveyDescription } from "../../domain/survey.js";
import type { ArchiveCondition, ArchiveExpression, BacktestWindow } from "../backtest.store.js";
import type { AlertTable } from "./alerts.table.js";
import { bigints, numbers } from "./blocks.js";
import type { ArchiveClient, Parameter } from "./client.js";
import type { EnrichedSource, EnrichedWindow } from "./enriched/source.js";
import { quoted } from "./http.form.js";
import type { Visible } from "./visibility.js";

/** What reads of one survey's alerts for filters need. */
export interface EnrichedArchive {
  readonly client: ArchiveClient;
  readonly sources: readonly EnrichedSource[];
  readonly survey: SurveyDescription;
  readonly table: AlertTable;
  readonly visible: Visible;
}

/** The visible alerts of [startJd, endJd), of which each of the further clauses is true. */
export function enrichedWindow(
  table: AlertTable,
  visible: Visible,
  { startJd, endJd }: Pick<BacktestWindow, "startJd" | "endJd">,
  clauses: readonly string[] = [],
  parameters: Readonly<Record<string, Parameter>> = {},
): EnrichedWindow {
  return {
    survey: table.survey,
    table,
    startJd,
    endJd,
    where: ["jd >= {startJd:Float64}", "jd < {endJd:Float64}", visible.sql, ...clauses].join(" AND "),
    parameters: { ...visible.parameters, ...parameters, startJd, endJd },
  };
}

/** What alerts' own columns decide, and what needs the sources; each holds where all of its texts do. */
export function partsOf(
  table: AlertTable,
  condition: ArchiveCondition,
): { own: ArchiveExpression | null; rest: readonly ArchiveExpression[] } {
  const isOwn = ({ columns }: ArchiveExpression) => columns.every((column) => table.columns.has(column));
  const own = condition.filter(isOwn);
  return { own: own.length === 0 ? null : allOf(own), rest: condition.filter((text) => !isOwn(text)) };
}

/** One text that holds where all do. */
export const allOf = (texts: readonly ArchiveExpression[]): ArchiveExpression => ({
  sql: texts.length === 0 ? "1" : texts.map(({ sql }) => `(${sql})`).join(" AND "),
  columns: texts.flatMap(({ columns }) => columns),
});

/** A piece of a window, with the number of its rows: alerts that were written twice count twice. */
export interface Piece {
  readonly startJd: number;
  readonly endJd: number;
  readonly rows: number;
}

/** A minute: pieces are planned by whole ones, for long windows by longer ones. */
const SLOT_DAYS = 1 / 1440;
const MOST_SLOTS = 200_000;

/** The window in pieces of about so many rows, oldest first; stretches without alerts are left out. */
export async function piecesOf(client: ArchiveClient, window: EnrichedWindow, rows: number): Promise<Piece[]> {
  const { startJd, endJd, table } = window;
  const slotDays = Math.max(SLOT_DAYS, (endJd - startJd) / MOST_SLOTS);
  const block = await client.query(
    `SELECT toInt64(floor((jd - {startJd:Float64}) / {slotDays:Float64})) AS slot, count() AS rows
    FROM ${quoted(table.name)} WHERE ${window.where} GROUP BY slot ORDER BY slot`,
    { ...window.parameters, slotDays },
  );
  const slots = bigints(block, "slot");
  const counts = bigints(block, "rows");
  const pieces: Piece[] = [];
  let held = 0;
  for (let row = 0; row < block.rows; row++) {
    held += Number(counts[row]!);
    if (held < rows && row + 1 < block.rows) continue;
    // Whatever rounding does at a slot's edge, each piece ends where the next begins, and the last at the window's end.
    const from = pieces.length === 0 ? startJd : pieces.at(-1)!.endJd;
    const to = row + 1 < block.rows ? startJd + Number(slots[row + 1]!) * slotDays : endJd;
    pieces.push({ startJd: from, endJd: Math.min(to, endJd), rows: held });
    held = 0;
  }
  return pieces;
}

/** jd of the alert that so many rows lie behind or at, from the window's end backwards; null where there are fewer. */
export async function jdBack(client: ArchiveClient, window: EnrichedWindow, rows: number): Promise<number | null> {
  // NULLS FIRST: as the table's order is read backwards; otherwise all would be sorted.
  const block = await client.query(
    `SELECT count() AS rows, min(jd) AS jd FROM (
      SELECT jd FROM ${quoted(window.table.name)} WHERE ${window.where}
      ORDER BY jd DESC NULLS FIRST LIMIT {rows:UInt64}
    ) SETTINGS read_in_order_use_buffering = 0, max_block_size = 8192`,
    { ...window.parameters, rows },
  );
  return Number(bigints(block, "rows")[0]) < rows ? null : numbers(block, "jd")[0]!;
}
