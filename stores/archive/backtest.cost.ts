// What an expression costs the live stream, measured as the live stream would pay for it. Called by backtest.ts.
import type { Block } from "../../domain/columns.js";
import type { ArchiveExpression } from "../backtest.store.js";
import { type EnrichedArchive, enrichedWindow, jdBack } from "./backtest.window.js";
import { enrichedAlerts } from "./enriched/source.js";
import { EVALUATION_SETTINGS } from "./evaluation.js";
import { quoted } from "./http.form.js";
import { createInFlightQuery } from "./inflight.js";

/** Alerts of a batch. */
const BATCH = 1_000;
/** The least of so many rounds counts: others work on this machine too. */
const ROUNDS = 5;
/** One text may take so long in all its rounds. */
const MOST_MS = 2_000;

/**
 * For each expression: the time of a query over a batch of the newest alerts with it, less that of the same query without
 * it, in milliseconds. Null without alerts.
 */
export async function costOf(
  archive: EnrichedArchive,
  expressions: readonly ArchiveExpression[],
): Promise<number[] | null> {
  const batch = await newestBatch(archive, new Set(expressions.flatMap(({ columns }) => columns)));
  if (batch.rows === 0) return null;
  const inFlight = createInFlightQuery(archive.client);
  const nothing = { alias: "__nothing", sql: "candid" };
  const costs: number[] = [];
  for (const { sql, columns } of expressions) {
    const read = withColumns(batch, new Set(["candid", ...columns]));
    const time = async (...texts: { alias: string; sql: string }[]) => {
      const from = performance.now();
      await inFlight.select(read, texts);
      return performance.now() - from;
    };
    let [with_, without, spent] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
    for (let round = 0; round < ROUNDS && spent < MOST_MS; round++) {
      const [a, b] = [await time(nothing), await time(nothing, { alias: "__result", sql })];
      without = Math.min(without, a);
      with_ = Math.min(with_, b);
      spent += a + b;
    }
    costs.push(Math.max(0, with_ - without));
  }
  return costs;
}

async function newestBatch(archive: EnrichedArchive, columns: ReadonlySet<string>): Promise<Block> {
  const { client, sources, table, visible } = archive;
  const whole = enrichedWindow(table, visible, { startJd: Number.NEGATIVE_INFINITY, endJd: Number.POSITIVE_INFINITY });
  const startJd = (await jdBack(client, whole, BATCH)) ?? Number.NEGATIVE_INFINITY;
  const window = enrichedWindow(table, visible, { startJd, endJd: Number.POSITIVE_INFINITY });
  const alerts = await enrichedAlerts(sources, window, columns);
  const names = [...new Set(["candid", ...columns])].map(quoted).join(", ");
  return client.query(
    `SELECT ${names} FROM ${alerts.sql} ORDER BY jd DESC LIMIT ${BATCH} SETTINGS max_threads = 1, ${EVALUATION_SETTINGS}`,
    alerts.parameters,
    alerts,
  );
}

function withColumns({ rows, columns, lists }: Block, names: ReadonlySet<string>): Block {
  return {
    rows,
    columns: new Map([...columns].filter(([name]) => names.has(name))),
    lists: new Map([...(lists ?? [])].filter(([name]) => names.has(name))),
  };
}
