// The lists of points of archived alerts against the plain rule over all packets, for every order in which packets came and
// however far parts are merged.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POINT_LISTS } from "../../../domain/photometry.js";
import { SURVEYS } from "../../../ingest/surveys/index.js";
import { startTestArchive, type TestArchive } from "../../../test/archive.js";
import { type TestAlert, testBatch, testHashes, testLocations } from "../../../test/batches.js";
import { listsByRule, listsOf, randomPackets } from "../../../test/histories.js";
import { alertTable } from "../alerts.table.js";
import { bigints } from "../blocks.js";
import { EVALUATION_SETTINGS } from "../evaluation.js";
import { quoted } from "../http.form.js";
import { type ArchiveStores, createArchiveStores } from "../stores.js";
import { enrichedHistory } from "./history.js";
import { enrichedAlerts } from "./source.js";

let engine: TestArchive;
let stores: ArchiveStores;
beforeAll(async () => {
  engine = await startTestArchive();
  stores = await createArchiveStores(
    engine.client,
    SURVEYS.map(({ description }) => description),
  );
});
afterAll(() => engine?.stop());

describe.each(SURVEYS.map(({ description }) => description))("$id", (description) => {
  const packets = randomPackets(description, description.id, 300);
  const expected = listsByRule(description, packets);
  const columns = POINT_LISTS.flatMap(([name]) =>
    description.pointFields[name].map((field) => `${name}.${field.name}`),
  );
  const receipt = { survey: description.id, read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };

  async function write(alerts: readonly TestAlert[]): Promise<void> {
    const id = stores.batches.begin();
    await stores.alerts.write(id, testBatch(description, alerts), testHashes(alerts), testLocations(alerts));
    await stores.batches.commit(id, receipt);
  }

  async function check(startJd: number, endJd: number, names = columns): Promise<void> {
    const window = {
      ...{ survey: description.id, table: alertTable(description), startJd, endJd },
      where: "jd >= {startJd:Float64} AND jd < {endJd:Float64}",
      parameters: { startJd, endJd },
    };
    const { sql, parameters } = enrichedAlerts([enrichedHistory([description])], window, names);
    const block = await engine.client.query(
      `SELECT candid, ${names.map(quoted).join(", ")} FROM ${sql} ORDER BY jd, candid SETTINGS ${EVALUATION_SETTINGS}`,
      parameters,
    );
    const wanted = packets.filter(({ jd }) => jd >= startJd && jd < endJd).map(({ candid }) => candid);
    expect([...bigints(block, "candid")]).toEqual(wanted);
    if (names !== columns) return;
    for (const [row, candid] of wanted.entries()) {
      expect(listsOf(description, block, row)).toEqual(expected.get(candid));
    }
  }

  it("each alert has the points that packets up to it told, whichever came first", async () => {
    const order = packets.toSorted((a, b) => Number((a.candid % 101n) - (b.candid % 101n)));
    for (let at = 0; at < order.length; at += 37)
      await write([...order.slice(at, at + 37), ...order.slice(at, at + 3)]);
    await check(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    await check(2_460_010.5, 2_460_020.5);
    await check(2_460_010.5, 2_460_020.5, ["forced.snr"]);
    await engine.client.command("OPTIMIZE TABLE tellings FINAL");
    await check(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    await write(packets.slice(20, 60));
    await check(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  });
});
