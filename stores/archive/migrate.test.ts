// Migrations on a real engine: an empty server, again over what is there, and a survey that gains fields.
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { testBatch, testHashes, testLocations, testSurvey } from "../../test/batches.js";
import { alertTable } from "./alerts.table.js";
import { bigints, numbers, strings, texts } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { ArchiveHits } from "./hits.js";
import { connectArchive } from "./http.js";
import { migrate } from "./migrate.js";
import { up as up0002 } from "./migrations/0002-photometry.js";
import { createArchiveStores } from "./stores.js";

let engine: TestArchive;
beforeAll(async () => {
  engine = await startTestArchive();
});
afterAll(() => engine?.stop());

const viewer = { scope: "owner", programids: new Map([["ZTF", "all" as const]]), mayChange: true };
const field = (name: string, nullable: boolean) =>
  ({ name, type: "Float32", nullable, unit: null, description: "" }) as const;

it("creates the database, runs each migration once, and survives one that died before it was noted", async () => {
  const { url, user, password } = engine;
  const client = connectArchive({ url, user, password, database: "fresh" });
  try {
    const all = await migrate(client);
    expect(all[0]).toBe("0001-alerts");
    expect(await migrate(client)).toEqual([]);
    await client.command("TRUNCATE TABLE migrations");
    expect(await migrate(client)).toEqual(all);
    const block = await client.query("SELECT engine FROM system.databases WHERE name = 'fresh'");
    expect(strings(block, "engine")).toEqual(["Atomic"]);
  } finally {
    await client.close();
  }
});

it("leaves one key of cursors, whoever starts at the same time or comes later", async () => {
  const { url, user, password } = engine;
  const clients = [1, 2, 3].map(() => connectArchive({ url, user, password, database: "together" }));
  try {
    await Promise.all(clients.map(migrate));
    const keyOf = (client: ArchiveClient) => new ArchiveHits(client).cursorKey();
    const keys = await Promise.all(clients.map(keyOf));
    expect(keys[0]).toHaveLength(16);
    expect(keys).toEqual([keys[0], keys[0], keys[0]]);
    const late = new Map(Object.entries({ name: texts(["hit cursors"]), value: texts(["AAAAAAAAAAAAAAAAAAAAAA=="]) }));
    await clients[0]!.insert("keys", { rows: 1, columns: late });
    expect(await keyOf(clients[1]!)).toEqual(keys[0]);
  } finally {
    for (const client of clients) await client.close();
  }
});

it("gives a survey's new field a column; alerts of before lack it", async () => {
  const before = testSurvey("ZTF", [field("magpsf", false)]);
  const after = testSurvey("ZTF", [field("magpsf", false), field("drb", false)]);
  const alert = (candid: bigint) => ({
    candid,
    objectId: "a",
    jd: 2459000.5,
    ra: 1,
    dec: 2,
    own: { magpsf: 18, drb: 0.5 },
  });
  for (const [survey, candid] of [
    [before, 1n],
    [after, 2n],
  ] as const) {
    const { alerts, batches } = await createArchiveStores(engine.client, [survey]);
    const written = [alert(candid)];
    await alerts.write(batches.begin(), testBatch(survey, written), testHashes(written), testLocations(written));
  }
  const { alerts } = await createArchiveStores(engine.client, [after]);
  expect(await alerts.ownFields(viewer, "ZTF", [1n, 2n], ["drb", "magpsf"])).toEqual(
    new Map([
      [1n, { drb: null, magpsf: 18 }],
      [2n, { drb: 0.5, magpsf: 18 }],
    ]),
  );
});

it("carries photometry of before over as tellings, once, and shows the same light curves", async () => {
  const { url, user, password } = engine;
  const client = connectArchive({ url, user, password, database: "carried" });
  try {
    await migrate(client);
    // As it was before this migration: the table of then with points of then, one of which has two rows not yet merged.
    await client.command("TRUNCATE TABLE migrations");
    await client.command("DROP TABLE tellings SYNC");
    await up0002(client);
    const row = (pointId: number, told: number, flux: number | null, more = "") =>
      `('ZTF', 'a', 1, ${pointId}, 2459000.5, 'r', 18, 0.1, ${flux ?? "NULL"}, 5, 20.5, true, 1, ${told}, ${told * 10}${more})`;
    await client.command(`INSERT INTO photometry (survey, objectId, kind, pointId, jd, band, magnitude, magnitudeError, flux,
      fluxError, limitingMagnitude, isPositive, programid, toldByJd, toldByCandid) VALUES ${row(1, 2459001, 300)}, ${row(2, 2459001, null)}`);
    await client.command(`INSERT INTO photometry (survey, objectId, kind, pointId, jd, band, magnitude, magnitudeError, flux,
      fluxError, limitingMagnitude, isPositive, programid, toldByJd, toldByCandid) VALUES ${row(1, 2459002, 400)}`);
    await migrate(client);
    expect(
      (await client.query("SELECT name FROM system.tables WHERE database = 'carried' AND name = 'photometry'")).rows,
    ).toBe(0);
    const { photometry } = await createArchiveStores(client, [testSurvey("ZTF")]);
    const fluxes = async (asOf: number | null) =>
      (await photometry.lightCurves(viewer, "ZTF", ["a"], asOf)).get("a")?.detections.map(({ flux }) => flux);
    expect(await fluxes(null)).toEqual([400, null]);
    expect(await fluxes(2459001.5)).toEqual([300, null]);
    expect(await fluxes(2459000.5)).toBeUndefined();
    const kept = await client.query("SELECT count() AS n, uniqExact(pointId, valuesHash) AS distinct FROM tellings");
    expect([bigints(kept, "n")[0], bigints(kept, "distinct")[0]]).toEqual([3n, 3n]);
  } finally {
    await client.close();
  }
});

it("takes alerts of any time in one insert", async () => {
  const survey = testSurvey("TIMES");
  const { alerts, batches } = await createArchiveStores(engine.client, [survey]);
  const times = [-1e300, -1, 0, 1.48e9, 1e300, ...Array.from({ length: 995 }, (_, n) => 2440000.5 + n * 50)];
  const written = times.map((jd, n) => ({ candid: BigInt(n), objectId: "a", jd, ra: 1, dec: 2 }));
  await alerts.write(batches.begin(), testBatch(survey, written), testHashes(written), testLocations(written));
  const parts = await engine.client.query(
    "SELECT toUInt32(uniqExact(partition)) AS n FROM system.parts WHERE table = 'alerts_times' AND active",
  );
  expect(numbers(parts, "n")[0]).toBeLessThan(100);
  const page = await alerts.page(
    { ...viewer, programids: new Map([["TIMES", "all" as const]]) },
    { survey: "TIMES" },
    1000,
    null,
  );
  expect(page.map(({ jd }) => jd)).toEqual([...times].sort((a, b) => b - a));
});

it("refuses a survey whose id cannot name a table", () => {
  for (const id of ["", "a b", "x`; DROP", "1A"]) {
    expect(() => alertTable(testSurvey(id))).toThrow(expect.objectContaining({ code: "BAD_SETTING" }));
  }
});
