// Several conditions over the newest nights: what each of them stops. Called by backtest.ts.
import { nightNumber, nightStart } from "../../domain/night.js";
import type { ArchiveExpression, Funnel } from "../backtest.store.js";
import { type EnrichedArchive, enrichedWindow } from "./backtest.window.js";
import { bigints, numbers } from "./blocks.js";
import { enrichedAlerts } from "./enriched/source.js";
import { EVALUATION_SETTINGS } from "./evaluation.js";
import { quoted } from "./http.form.js";
import { NIGHT } from "./nights.js";

/** Alerts that are looked at; with lists a fifth of them. */
const SAMPLE = 100_000;
const SAMPLE_WITH_LISTS = 20_000;

export async function funnelOf(
  archive: EnrichedArchive,
  nights: number,
  conditions: readonly ArchiveExpression[],
): Promise<Funnel> {
  const { client, sources, survey, table, visible } = archive;
  const counted = await newestNights(archive, nights);
  const alerts = counted.reduce((sum, night) => sum + night.alerts, 0);
  const columns = conditions.flatMap((condition) => condition.columns);
  const most = columns.every((column) => table.columns.has(column)) ? SAMPLE : SAMPLE_WITH_LISTS;
  const oneOf = Math.max(1, Math.ceil(alerts / most));
  const nothing = conditions.map(() => 0);
  const none = { failing: nothing, failingFirst: nothing, failingOnly: nothing };
  if (alerts === 0) return { nights: [], scanned: 0, oneOf: 1, passed: 0, ...none };

  const start = (night: number) => nightStart(night, survey.nightOffsetHours);
  const window = enrichedWindow(
    table,
    visible,
    { startJd: start(counted.at(-1)!.night), endJd: start(counted[0]!.night + 1) },
    [`${NIGHT} IN {nights:Array(Int32)}`, ...(oneOf === 1 ? [] : ["cityHash64(candid) % {oneOf:UInt32} = 0"])],
    { nights: counted.map(({ night }) => night), oneOf, nightOffsetHours: survey.nightOffsetHours },
  );
  const enriched = await enrichedAlerts(sources, window, columns);
  const block = await client.query(
    `SELECT count() AS scanned, countIf(failed = 0) AS passed, sumForEach(fails) AS failing,
      sumForEach(arrayMap((fail, n) -> toUInt8(fail AND n = indexOf(fails, 1)), fails, arrayEnumerate(fails))) AS failingFirst,
      sumForEach(arrayMap(fail -> toUInt8(fail AND failed = 1), fails)) AS failingOnly
    FROM (
      SELECT fails, countEqual(fails, 1) AS failed
      FROM (SELECT [${conditions.map(({ sql }) => `NOT (${sql})`).join(", ")}] AS fails FROM ${enriched.sql})
    ) SETTINGS max_threads = 1, ${EVALUATION_SETTINGS}`,
    enriched.parameters,
    enriched,
  );
  const listed = (name: string) => {
    const values = block.lists?.get(name)?.items.values ?? [];
    return conditions.map((_, n) => Number(values[n] ?? 0));
  };
  return {
    nights: counted,
    scanned: Number(bigints(block, "scanned")[0]),
    oneOf,
    passed: Number(bigints(block, "passed")[0]),
    failing: listed("failing"),
    failingFirst: listed("failingFirst"),
    failingOnly: listed("failingOnly"),
  };
}

/** The newest nights that have alerts, with their numbers: newest first. */
async function newestNights(
  { client, survey, table, visible }: EnrichedArchive,
  nights: number,
): Promise<{ night: number; alerts: number }[]> {
  const found: { night: number; alerts: number }[] = [];
  let before = Number.POSITIVE_INFINITY;
  while (found.length < nights) {
    const newest = await client.query(
      `SELECT jd FROM ${quoted(table.name)} WHERE jd < {before:Float64} AND ${visible.sql}
      ORDER BY jd DESC NULLS FIRST LIMIT 1 SETTINGS read_in_order_use_buffering = 0, max_block_size = 1024`,
      { ...visible.parameters, before },
    );
    const jd = numbers(newest, "jd")[0];
    if (jd === undefined) break;
    const night = nightNumber(jd, survey.nightOffsetHours);
    const startJd = nightStart(night, survey.nightOffsetHours);
    const endJd = Math.min(before, nightStart(night + 1, survey.nightOffsetHours));
    const count = await client.query(
      `SELECT uniqExact(candid) AS alerts FROM ${quoted(table.name)}
      WHERE jd >= {startJd:Float64} AND jd < {endJd:Float64} AND ${visible.sql}`,
      { ...visible.parameters, startJd, endJd },
    );
    found.push({ night, alerts: Number(bigints(count, "alerts")[0]) });
    before = startJd;
  }
  return found;
}
