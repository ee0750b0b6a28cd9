// Listeners of corrections over a real archive: whoever joins when and where gets everything behind its cursor, once and in
// order, while more is told; and what it may see, and nothing after the end.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Viewer } from "../domain/viewer.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import { ANY_CORRECTION, type CorrectionConditions, type ToldCorrection } from "../stores/corrections.store.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { testSurvey } from "../test/batches.js";
import { type CorrectionFeed, createCorrectionFeed } from "./corrections.js";

const OWNER: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const OTHER: Viewer = { scope: "other", programids: new Map([["ZTF", [1]]]), mayChange: false };
const BATCHES = 40;
const EACH = 20;

let engine: TestArchive;
let stores: ArchiveStores;
let feed: CorrectionFeed;
let next = 0;

beforeAll(async () => {
  engine = await startTestArchive();
  stores = await createArchiveStores(engine.client, [testSurvey("ZTF")]);
  await stores.sequence.begin(0);
  feed = createCorrectionFeed({ ...stores, key: await stores.hits.cursorKey(), gapMs: 0, maxListeners: 100 });
});
afterAll(async () => {
  feed?.close();
  await engine?.stop();
});

/** A third of them is the partnership's, and of others every fourth is the owner's alone. */
const correction = (n: number): ToldCorrection => ({
  ...{ survey: "ZTF", objectId: `o${n % 7}`, candid: BigInt(n), jd: 2_460_000.5 + n, programid: n % 3 === 0 ? 2 : 1 },
  ...{ what: n % 2 === 0 ? "MATCHES" : "FEATURES", step: "a test", version: "1", source: null, filter: null },
  ...{ scope: n % 4 === 1 ? "owner" : null, isShown: true, reads: [] },
});
const mayOther = (n: number) => n % 3 !== 0 && n % 4 !== 1;

async function tell(count: number): Promise<void> {
  const told = Array.from({ length: count }, () => correction(next++));
  await stores.corrections.tell(stores.batches.begin(), told);
  while (await stores.corrections.number());
  feed.wake();
}

/** The numbers of corrections up to `last`, as they come. */
async function heard(viewer: Viewer, after: bigint | null, last: number, where: Partial<CorrectionConditions> = {}) {
  const stream = await feed.listen({ viewer, where: () => ({ ...ANY_CORRECTION, ...where }), after });
  const found: number[] = [];
  for await (const { candid } of stream) {
    found.push(Number(candid));
    if (Number(candid) >= last) break;
  }
  return found;
}

it("hand everything on to whoever joins while more is told", async () => {
  const all = BATCHES * EACH;
  const numbers = Array.from({ length: all }, (_, n) => n);
  // The last of each kind that ends a listener.
  const lastOf = (holds: (n: number) => boolean) => numbers.findLast(holds)!;
  const listeners: Promise<void>[] = [];
  const expects = async (found: Promise<number[]>, holds: (n: number) => boolean, from: number) =>
    expect(await found).toEqual(numbers.filter((n) => n >= from && holds(n)));
  const everything = () => true;
  listeners.push(expects(heard(OWNER, 0n, all - 1), everything, 0));
  for (let batch = 0; batch < BATCHES; batch++) {
    await tell(EACH);
    if (batch % 8 !== 3) continue;
    const told = (batch + 1) * EACH;
    listeners.push(expects(heard(OWNER, null, all - 1), everything, told));
    listeners.push(expects(heard(OTHER, BigInt(told - 7), lastOf(mayOther)), mayOther, told - 7));
    const isOne = (n: number) => n % 7 === 3 && n % 2 === 0;
    const where = { objectIds: ["o3"], what: ["MATCHES"] as const };
    listeners.push(expects(heard(OWNER, 0n, lastOf(isOne), where), isOne, 0));
  }
  await Promise.all(listeners);
}, 120_000);

it("know their cursors from those of hits, and none from ahead", async () => {
  expect(feed.cursors.seq(feed.cursors.text(5n))).toBe(5n);
  await expect(heard(OWNER, 10_000_000n, 0)).rejects.toMatchObject({ code: "BAD_CURSOR" });
});

it("end when they are ended, and with the feed", async () => {
  const stream = await feed.listen({ viewer: OWNER, where: () => ANY_CORRECTION, after: null });
  const waiting = stream.next();
  await stream.return();
  expect(await waiting).toEqual({ done: true, value: undefined });
  const other = createCorrectionFeed({ ...stores, key: new Uint8Array(16), gapMs: 0, maxListeners: 100 });
  const last = await other.listen({ viewer: OWNER, where: () => ANY_CORRECTION, after: null });
  const never = last.next();
  other.close();
  expect(await never).toEqual({ done: true, value: undefined });
  expect(() => other.cursors.seq(feed.cursors.text(5n))).toThrow("not a cursor of this archive's corrections");
});

it("are told that there are too many of them", async () => {
  const few = createCorrectionFeed({ ...stores, key: new Uint8Array(16), gapMs: 0, maxListeners: 1 });
  const request = { viewer: OWNER, where: () => ANY_CORRECTION, after: null };
  const first = await few.listen(request);
  const waiting = first.next();
  expect(few.listeners).toBe(1);
  await expect(few.listen(request)).rejects.toMatchObject({ code: "TOO_MANY_SUBSCRIPTIONS" });
  await first.return();
  expect((await waiting).done).toBe(true);
  await (await few.listen(request)).return();
  few.close();
});

it("goes on in another process's epoch, where the former one numbers nothing any more", async () => {
  const later = await createArchiveStores(engine.client, [testSurvey("ZTF")]);
  const last = await stores.corrections.lastSeq();
  await later.sequence.begin(0);
  await stores.corrections.tell(stores.batches.begin(), [correction(next++)]);
  // It does not know yet that it numbers no more, and what it sends is refused.
  expect(await stores.corrections.number()).toBe(false);
  expect(await stores.corrections.lastSeq()).toBe(last);
  while (await later.corrections.number());
  expect(await later.corrections.seqsAfter(last, 10)).toEqual([last + 1n]);
});
