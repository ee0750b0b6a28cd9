// The hub over the real archive: replays that start while batches are written, announced, forgotten and tried again.
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DeliveredHit } from "../domain/filter.js";
import { maySee, type Viewer } from "../domain/viewer.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import { until } from "../test/until.js";
import { createHitHub } from "./hub.js";
import type { HitRequest, Sink } from "./request.js";

const ZTF = testSurvey("ZTF");
const OWNER: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const ANYBODY: Viewer = { scope: "anonymous", programids: new Map([["ZTF", [1]]]), mayChange: false };
const FILTERS = ["f1", "f2"];

let engine: TestArchive;
let stores: ArchiveStores;
beforeAll(async () => {
  engine = await startTestArchive();
  stores = await createArchiveStores(engine.client, [ZTF]);
  await stores.sequence.begin(0);
});
afterAll(() => engine?.stop());

let candid = 2_459_000_000_000_000_000n;
const anyOf = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;

/** A batch as the pipeline writes it, with a hit for each of its alerts. */
async function writeBatch(size: number): Promise<DeliveredHit[]> {
  const alerts = Array.from({ length: size }, (_, i) => {
    candid += 1n;
    return { candid, objectId: `o${candid}`, jd: 2_460_000 + i / 100, ra: 10, dec: 10, programid: anyOf([1, 1, 2]) };
  });
  const batch = stores.batches.begin();
  await stores.alerts.write(batch, testBatch(ZTF, alerts), testHashes(alerts), testLocations(alerts));
  const drafts = alerts.map(({ candid, objectId, jd, programid }) => ({
    ...{ candid, objectId, jd, programid, filterId: anyOf(FILTERS), filterVersion: 1, survey: "ZTF" },
    annotations: null,
  }));
  await stores.hits.found(
    batch,
    drafts.map((draft) => ({ ...draft, passedAt: Date.now() })),
  );
  const receipt = { survey: "ZTF", read: size, stored: size, duplicates: 0, deadLetters: 0, hits: size, steps: {} };
  await stores.batches.commit(batch, receipt);
  const hits = (await stores.sequence.number([batch], new Map()))!;
  const found = await stores.alerts.byCandid(
    OWNER,
    "ZTF",
    alerts.map((alert) => alert.candid),
  );
  return hits.map((hit) => ({ ...hit, alert: found.get(hit.candid)! }));
}

it("loses no hit and doubles none", async () => {
  await writeBatch(10);
  const hub = await createHitHub({ ...stores, limits: { page: 7, recent: 10 } });
  const due: DeliveredHit[] = [];
  const subscribers: { request: HitRequest; start: bigint; seen: DeliveredHit[]; last: bigint; stop: () => void }[] =
    [];
  const subscribe = (one: (typeof subscribers)[number]) => {
    const sink: Sink<DeliveredHit> = {
      take: (hits) => {
        one.seen.push(...hits);
        one.last = hits.at(-1)!.seq;
        return true;
      },
      room: () => pause(Math.random() * 2),
      fail: (error) => {
        throw error;
      },
    };
    const { filterIds, viewer } = one.request;
    one.stop = hub.subscribe(
      { filterIds, viewer, after: one.last },
      `${viewer.scope} ${filterIds}`,
      async (hits) => hits,
      sink,
    );
  };
  for (let round = 0; round < 60; round += 1) {
    const hits = await writeBatch(1 + Math.floor(Math.random() * 5));
    due.push(...hits);
    // What is not announced is found when the hub is woken, as by another process, or with what is announced next.
    const chance = Math.random();
    if (chance < 0.6) hub.publish(hits);
    else if (chance < 0.8) hub.wake();
    if (round % 4 === 0) {
      const filterIds = anyOf([["f1"], ["f2"], FILTERS]);
      const request = { filterIds, viewer: anyOf([OWNER, ANYBODY]), after: null };
      const start = anyOf([10n, 10n, hub.last]);
      subscribers.push({ request, start, seen: [], last: start, stop: () => {} });
      subscribe(subscribers.at(-1)!);
    } else if (subscribers.length > 0 && Math.random() < 0.5) {
      const one = anyOf(subscribers);
      one.stop();
      subscribe(one);
    }
  }
  const end = await writeBatch(1);
  due.push(...end);
  hub.publish(end);
  await until("the log's end", () => hub.last === end[0]!.seq);
  for (const { request, start, seen } of subscribers) {
    const own = due.filter(
      (hit) =>
        hit.seq > start &&
        request.filterIds.includes(hit.filterId) &&
        maySee(request.viewer, hit.survey, hit.programid),
    );
    await until("all hits", () => seen.length >= own.length);
    expect(seen).toEqual(own);
  }
  for (const { stop } of subscribers) stop();
  expect(hub.subscriptions).toBe(0);
});
