// MatchStore on ClickHouse. Made by stores.ts.
import type { Block, ListColumn } from "../../domain/columns.js";
import type { Survey } from "../../domain/survey.js";
import { epochMsFromJd } from "../../domain/time.js";
import {
  MAX_ALERT_MATCHES,
  type MatchedAlert,
  type MatchedObject,
  type MatchStore,
  type StoredMatch,
} from "../matches.store.js";
import { alertTableName } from "./alerts.table.js";
import { idAt } from "./batches.js";
import { bigints, blockOf, eachRow, floats, numbers, repeated, signed, strings, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { quoted, sqlText } from "./http.form.js";
import { alterTable } from "./layout.js";
import { keepBefore, MATCH_LISTS, sinceWhen } from "./matches.before.js";

export class ArchiveMatches implements MatchStore {
  constructor(private readonly client: ArchiveClient) {}

  async ofAlerts(
    survey: Survey,
    alerts: readonly MatchedAlert[],
    catalogs: readonly string[],
    asOf: number | null = null,
  ): Promise<Map<bigint, StoredMatch[]>> {
    if (alerts.length === 0 || catalogs.length === 0) return new Map();
    const asked = blockOf(alerts.length, {
      jd: floats(Float64Array.from(alerts, ({ jd }) => jd)),
      candid: signed(BigInt64Array.from(alerts, ({ candid }) => candid)),
    });
    const block = await this.client.query(
      asOf === null ? LATEST : knownThen(survey),
      { survey, catalogs, ...(asOf !== null && { upTo: idAt(epochMsFromJd(asOf) + 1) }) },
      { external: [{ name: "asked", block: asked }] },
    );
    const found = new Map<bigint, StoredMatch[]>();
    const candid = bigints(block, "candid");
    for (let row = 0; row < block.rows; row++) {
      const own = matchesOf(block, row);
      if (own.length > 0) found.set(candid[row]!, [...(found.get(candid[row]!) ?? []), ...own]);
    }
    for (const matches of found.values()) {
      matches.sort(nearestFirst);
      matches.length = Math.min(matches.length, MAX_ALERT_MATCHES);
    }
    return found;
  }

  async write(survey: Survey, batchId: bigint, rows: Block): Promise<ReadonlySet<bigint>> {
    if (rows.rows === 0) return new Set();
    // In this order: after a crash between the two it is kept once more, under the same key.
    const changed = await keepBefore(this.client, survey, batchId, rows);
    const columns = new Map(rows.columns)
      .set("survey", repeated(rows.rows, survey))
      .set("batch", unsigned(new BigUint64Array(rows.rows).fill(batchId)));
    await this.client.insert("matches", { ...rows, columns });
    return changed;
  }

  async matchedBetween(survey: Survey, catalog: string, fromJd: number, toJd: number): Promise<MatchedAlert[]> {
    const block = await this.client.query(
      `SELECT jd, candid FROM (
        SELECT jd, candid, notEmpty(id) AS matched FROM matches
        WHERE survey = {survey:String} AND catalog = {catalog:String}
          AND jd >= {fromJd:Float64} AND jd <= {toJd:Float64}
        ORDER BY jd, candid, batch DESC LIMIT 1 BY jd, candid
      ) WHERE matched`,
      { survey, catalog, fromJd, toJd },
    );
    const [jd, candid] = [numbers(block, "jd"), bigints(block, "candid")];
    return eachRow(block, (row) => ({ jd: jd[row]!, candid: candid[row]! }));
  }

  async catalogs(): Promise<string[]> {
    return [...strings(await this.client.query("SELECT DISTINCT catalog FROM matches ORDER BY catalog"), "catalog")];
  }

  async matchedAfter(
    survey: Survey,
    catalog: string,
    after: MatchedAlert | null,
    first: number,
  ): Promise<MatchedObject[]> {
    const { jd, candid } = after ?? { jd: -1e300, candid: 0n };
    const block = await this.client.query(
      `SELECT objectId, jd, candid FROM (
        SELECT objectId, jd, candid, notEmpty(id) AS matched FROM matches
        WHERE survey = {survey:String} AND catalog = {catalog:String}
          AND jd >= {jd:Float64} AND (jd > {jd:Float64} OR candid > {candid:Int64})
        ORDER BY jd, candid, batch DESC LIMIT 1 BY jd, candid
      ) AS latest WHERE matched ORDER BY jd, candid LIMIT {first:UInt32}`,
      { survey, catalog, jd, candid, first },
    );
    const [objectIds, jds, candids] = [strings(block, "objectId"), numbers(block, "jd"), bigints(block, "candid")];
    return eachRow(block, (row) => ({ objectId: objectIds[row]!, jd: jds[row]!, candid: candids[row]! }));
  }

  async withdraw(catalogs: readonly string[]): Promise<void> {
    for (const catalog of (await this.catalogs()).filter((name) => !catalogs.includes(name))) {
      // `matches` last: by what is there we know what is to go.
      for (const table of ["matches_before", "matches_since", "matches"]) {
        await alterTable(this.client, table, `DELETE WHERE catalog = ${sqlText(catalog)}`, "rows");
      }
    }
  }
}

const SHOWN = `catalog, candid, revision, version, ${MATCH_LISTS.join(", ")}`;
const OF_ASKED = `survey = {survey:String} AND catalog IN {catalogs:Array(String)}
  AND (jd, candid) IN (SELECT jd, candid FROM asked)`;

const LATEST = `SELECT ${SHOWN} FROM matches WHERE ${OF_ASKED}
  ORDER BY catalog, jd, candid, batch DESC LIMIT 1 BY catalog, jd, candid`;

/**
 * What had been stored before the batch id `upTo`; of an alert that was taken in later, what its own batch stored: an alert
 * is there at its time, whenever it came.
 */
function knownThen(survey: Survey): string {
  const columns = `${SHOWN}, jd, batch`;
  return `SELECT ${SHOWN} FROM (
      SELECT * FROM (${sinceWhen(columns, OF_ASKED)}) AS latest
      UNION ALL SELECT * FROM (SELECT ${columns}, firstBatch AS toldFirst FROM matches_before WHERE ${OF_ASKED}) AS before
    ) AS told
    ANY LEFT JOIN (
      SELECT candid, max(batch) AS takenIn FROM ${quoted(alertTableName(survey))} AS alerts
      WHERE (jd, candid) IN (SELECT jd, candid FROM asked) GROUP BY candid
    ) AS taken USING (candid)
    WHERE toldFirst < {upTo:UInt64} OR toldFirst <= takenIn
    ORDER BY catalog, jd, candid, batch DESC LIMIT 1 BY catalog, jd, candid`;
}

const nearestFirst = (a: StoredMatch, b: StoredMatch): number =>
  a.separationArcsec - b.separationArcsec ||
  (a.catalog < b.catalog ? -1 : a.catalog > b.catalog ? 1 : a.sourceId < b.sourceId ? -1 : 1);

function matchesOf(block: Block, row: number): StoredMatch[] {
  const ids = items(block, "id", row) as string[];
  const count = ids.length;
  const [separation, ra, dec] = ["separationArcsec", "ra", "dec"].map((name) => items(block, name, row) as number[]);
  const named = [
    ...valuesByName(block, "number", row).map(([name, values]) => [name, values.map(nanIsNull)] as const),
    ...valuesByName(block, "text", row),
  ];
  const catalog = strings(block, "catalog")[row]!;
  const version = strings(block, "version")[row]!;
  const revision = Number(bigints(block, "revision")[row]);
  return Array.from({ length: count }, (_, n) => ({
    catalog,
    sourceId: ids[n]!,
    ra: ra![n]!,
    dec: dec![n]!,
    separationArcsec: separation![n]!,
    fields: Object.fromEntries(named.map(([name, values]) => [name, values[n]!])),
    version,
    revision,
  }));

  function valuesByName(from: Block, kind: "number" | "text", of: number): [string, Value[]][] {
    const all = items(from, `${kind}s`, of);
    return (items(from, `${kind}Names`, of) as string[]).map((name, k) => [
      name,
      all.slice(k * count, (k + 1) * count),
    ]);
  }
}

type Value = number | string | null;
const nanIsNull = (value: Value): Value => (typeof value === "number" && Number.isNaN(value) ? null : value);

/** A row's list; null where an item is missing. */
function items(block: Block, name: string, row: number): Value[] {
  const list: ListColumn | undefined = block.lists?.get(name);
  if (list === undefined) throw new Error(`The block has no list ${name}.`);
  const { values, nulls } = list.items;
  const [from, to] = [row === 0 ? 0 : list.ends[row - 1]!, list.ends[row]!];
  return Array.from({ length: to - from }, (_, n) =>
    nulls?.[from + n] ? null : (values[from + n] as number | string),
  );
}
