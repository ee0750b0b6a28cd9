// Objects and light curves as of a time against an archive into which nothing later came.
import { afterAll, beforeAll, expect, it } from "vitest";
import { ztf } from "../../ingest/surveys/ztf/ztf.survey.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { type TestAlert, testBatch, testHashes, testLocations } from "../../test/batches.js";
import { randomPackets } from "../../test/histories.js";
import { viewers } from "../../test/skyworld.js";
import type { ArchiveClient } from "./client.js";
import { connectArchive } from "./http.js";
import { type ArchiveStores, createArchiveStores } from "./stores.js";

const { description } = ztf;
let engine: TestArchive;
const clients: ArchiveClient[] = [];
beforeAll(async () => {
  engine = await startTestArchive();
});
afterAll(async () => {
  for (const client of clients) await client.close();
  await engine?.stop();
});

async function archiveOf(database: string, alerts: readonly TestAlert[]): Promise<ArchiveStores> {
  const { url, user, password } = engine;
  const client = connectArchive({ url, user, password, database });
  clients.push(client);
  const stores = await createArchiveStores(client, [description]);
  for (let at = 0; at < alerts.length; at += 50) {
    const part = alerts.slice(at, at + 50);
    await stores.alerts.write(
      stores.batches.begin(),
      testBatch(description, part),
      testHashes(part),
      testLocations(part),
    );
  }
  return stores;
}

it("what is asked as of a time is what had come by then", async () => {
  const packets = randomPackets(description, "as of", 250);
  const ids = [...new Set(packets.map(({ objectId }) => objectId))];
  const all = await archiveOf("everything", packets);
  const times = [packets[0]!.jd - 1, packets[60]!.jd, packets[150]!.jd + 0.1, packets.at(-1)!.jd];
  for (const [n, time] of times.entries()) {
    const stopped = await archiveOf(
      `stopped${n}`,
      packets.filter(({ jd }) => jd <= time),
    );
    for (const viewer of viewers) {
      const curves = await all.photometry.lightCurves(viewer, "ZTF", ids, time);
      expect(curves).toEqual(await stopped.photometry.lightCurves(viewer, "ZTF", ids));
      const objects = await all.objects.byIds(viewer, "ZTF", ids, time);
      expect(objects).toEqual(await stopped.objects.byIds(viewer, "ZTF", ids));
    }
  }
  const [viewer] = viewers;
  expect((await all.objects.byIds(viewer!, "ZTF", ids, times[0]!)).size).toBe(0);
  expect(await all.photometry.lightCurves(viewer!, "ZTF", ids, times[3]!)).toEqual(
    await all.photometry.lightCurves(viewer!, "ZTF", ids),
  );
});
