// Enriched alerts on a real engine: own columns, values by alert, lists by object, rows that were written more than once.
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestArchive, type TestArchive } from "../../../test/archive.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../../../test/batches.js";
import { alertTable } from "../alerts.table.js";
import { bigints, column } from "../blocks.js";
import { EVALUATION_SETTINGS } from "../evaluation.js";
import { type ArchiveStores, createArchiveStores } from "../stores.js";
import { type EnrichedSource, type EnrichedWindow, enrichedAlerts, keysOf } from "./source.js";

const SURVEY = testSurvey("ZTF", [
  { name: "drb", type: "Float32", nullable: true, unit: null, description: "A score." },
]);
const RECEIPT = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };

let archive: TestArchive;
let stores: ArchiveStores;

async function write(alerts: readonly TestAlert[], committed = true): Promise<void> {
  const id = stores.batches.begin();
  await stores.alerts.write(id, testBatch(SURVEY, alerts), testHashes(alerts), testLocations(alerts));
  if (committed) await stores.batches.commit(id, RECEIPT);
}

const alert = (n: number, drb: number | null, objectId = `o${n % 3}`): TestAlert => ({
  ...{ candid: 2532491990015015000n + BigInt(n), objectId, jd: 2460000.5 + n / 10, ra: 10, dec: 20 },
  own: { drb },
});

beforeAll(async () => {
  archive = await startTestArchive();
  stores = await createArchiveStores(archive.client, [SURVEY]);
  await write([0, 1, 2, 3, 4, 5].map((n) => alert(n, n / 10)));
  await write([alert(2, null), alert(9, 0.9)]);
  await write([alert(1, 0.77), alert(8, 0.8)], false);
});
afterAll(async () => {
  await archive?.stop();
});

/** As rooms do it, over a table that is there: a value and a list by alert, and a list by object that looks back. */
const byAlert: EnrichedSource = {
  brings: (name) => name.startsWith("feature.") || name.startsWith("match.x."),
  select: (window, names) => ({
    key: "alert",
    sql: `SELECT jd, candid, ${names
      .map((name) =>
        name.startsWith("match.") ? `[ra, dec + {plus:Float64}] AS "${name}"` : `toNullable(ra + 1) AS "${name}"`,
      )
      .join(", ")}
      FROM object_alerts WHERE survey = {survey:String} AND objectId != 'o1' AND (jd, candid) IN (${keysOf(window, "jd", "candid")})`,
    parameters: { survey: window.survey, plus: 1 },
  }),
};
const byObject: EnrichedSource = {
  brings: (name) => name.startsWith("detections."),
  select: (window, names) => ({
    key: "object",
    sql: `SELECT objectId, arraySort(groupUniqArray(jd)) AS times FROM object_alerts
      WHERE survey = {survey:String} AND objectId IN (${keysOf(window, "objectId")}) GROUP BY objectId`,
    parameters: { survey: window.survey },
    columns: new Map(names.map((name) => [name, "arrayFilter(t -> t <= l.jd, r.times)"])),
  }),
};

const window = (startJd: number, endJd: number): EnrichedWindow => ({
  ...{ survey: "ZTF", table: alertTable(SURVEY), startJd, endJd },
  where: "jd >= {startJd:Float64} AND jd < {endJd:Float64}",
  parameters: { startJd, endJd },
});

it("gives each committed alert once, with its latest committed row and what the sources bring", async () => {
  const columns = ["drb", "feature.g.x", "match.x.ra", "detections.jd", "band"];
  const { sql, parameters } = await enrichedAlerts([byAlert, byObject], window(2460000.5, 2460001.5), columns);
  const block = await archive.client.query(
    `SELECT candid, drb, \`feature.g.x\` AS x, length(\`match.x.ra\`) AS near, length(\`detections.jd\`) AS n
    FROM ${sql} ORDER BY candid SETTINGS ${EVALUATION_SETTINGS}`,
    parameters,
  );
  const at = (name: string) => {
    const { values, nulls } = column(block, name);
    return Array.from({ length: block.rows }, (_, row) => (nulls?.[row] ? null : values[row]!));
  };
  expect(Array.from(bigints(block, "candid"), (candid) => Number(candid - 2532491990015015000n))).toEqual([
    0, 1, 2, 3, 4, 5, 9,
  ]);
  expect(at("drb").map((drb) => drb && Math.round((drb as number) * 10) / 10)).toEqual([
    0,
    0.1,
    null,
    0.3,
    0.4,
    0.5,
    0.9,
  ]);
  expect(at("x")).toEqual([11, null, 11, 11, null, 11, 11]);
  expect(at("near").map(Number)).toEqual([2, 0, 2, 2, 0, 2, 2]);
  // The uncommitted alert 8 of o2 is in the source's table, but later than what the others look back at.
  expect(at("n").map(Number)).toEqual([1, 1, 1, 2, 2, 2, 3]);
});

it("reads no source that is not asked for, and knows when nobody brings a column", async () => {
  const never: EnrichedSource = {
    brings: () => true,
    select: () => {
      throw new Error("nobody asked");
    },
  };
  expect((await enrichedAlerts([never], window(0, 1), ["drb"])).sql).not.toContain("JOIN");
  await expect(enrichedAlerts([byAlert], window(0, 1), ["watch.mine.name"])).rejects.toThrow("watch.mine.name");
});
