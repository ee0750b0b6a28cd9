// Receipts on a real engine: what counts and what does not, and gaps against a list of offsets.
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { nightNamed } from "../../domain/night.js";
import type { DeadLetter } from "../../domain/packet.js";
import type { BatchTallies } from "../../domain/receipt.js";
import { nightAdds } from "../../domain/receipt.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { testBatch, testHashes, testLocations, testSurvey } from "../../test/batches.js";
import { type ArchiveStores, createArchiveStores } from "./stores.js";

const ZTF = testSurvey("ZTF");
const NIGHT = nightNamed("20231012", 0);
const KAFKA = { source: "ztf_20231012_programid1", partition: 3 };
const NOTHING: BatchTallies = { tallies: [], letters: [], ranges: [], replayed: [] };
const RECEIPT = { survey: "ZTF", read: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {}, filteredAt: 2 };

let engine: TestArchive;
let stores: ArchiveStores;
let topics = 0;
beforeAll(async () => {
  engine = await startTestArchive();
  stores = await createArchiveStores(engine.client, [ZTF]);
});
afterAll(() => engine?.stop());
beforeEach(async () => {
  for (const table of ["receipts", "letter_receipts", "offset_ranges", "replays", "batches", "alert_index"]) {
    await engine.client.command(`TRUNCATE TABLE ${table}`);
  }
});

const night = () => stores.receipts.night("ZTF", NIGHT);
const alerts = (...candids: bigint[]) =>
  candids.map((candid) => ({ candid, objectId: `o${candid}`, jd: NIGHT.startJd + 0.25, ra: 1, dec: 1 }));

/** A batch with the alerts that its receipt tells of, unless told otherwise. */
async function batch(
  tallies: Partial<BatchTallies>,
  candids: bigint[] = [],
  { commit = true, stored = candids.length } = {},
) {
  const batchId = stores.batches.begin();
  const rows = alerts(...candids);
  if (rows.length > 0) {
    await stores.alerts.write(batchId, testBatch(ZTF, rows), testHashes(rows), testLocations(rows));
  }
  await stores.receipts.write(batchId, { ...NOTHING, ...tallies });
  // Writing twice changes nothing.
  await stores.receipts.write(batchId, { ...NOTHING, ...tallies });
  if (commit) await stores.batches.commit(batchId, { ...RECEIPT, stored, storedAt: 1 });
  return batchId;
}
const tally = (received: number, stored: number, duplicates: number) => {
  return { survey: "ZTF", night: NIGHT.name, ...KAFKA, received, stored, duplicates };
};
const letter = (offset: bigint): DeadLetter => ({
  reason: "MALFORMED",
  message: "Bad.",
  origin: { ...KAFKA, position: `partition 3 offset ${offset}`, offset },
  survey: "ZTF",
  bytes: Uint8Array.of(1),
  schemaFingerprint: null,
});
const counted = (...letters: DeadLetter[]) =>
  letters.map((one) => ({ letter: one, part: KAFKA, survey: "ZTF", night: NIGHT.name }));

test("a batch counts once, and only when it is committed", async () => {
  await batch({ tallies: [tally(3, 2, 1)] }, [1n, 2n]);
  await batch({ tallies: [tally(9, 9, 0)] }, [], { commit: false });
  const receipt = await night();
  expect(receipt).toMatchObject({ received: 3, stored: 2, duplicates: 1, deadLetters: 0, archived: 2, sourceCount: 1 });
  expect(receipt.sources).toMatchObject([{ ...KAFKA, received: 3, stored: 2, duplicates: 1 }]);
  expect(nightAdds(receipt)).toBe(true);
});

test("numbers that differ are an alarm", async () => {
  await batch({ tallies: [tally(3, 2, 0)] }, [1n, 2n]);
  expect(nightAdds(await night())).toBe(false);
  // The archive has one less than its receipt.
  await batch({ tallies: [tally(2, 2, 0)] }, [3n]);
  expect((await night()).stored).not.toBe((await night()).archived);
  await engine.client.command("ALTER TABLE batches UPDATE committedAt = 1 WHERE 1 SETTINGS mutations_sync = 2");
  const found = await stores.receipts.discrepancies(0);
  expect(found.map(({ sentence }) => sentence).sort()).toEqual([
    "2 stored by its receipt, 1 by its commit, 1 in the archive",
    "3 received, but 2 stored, 0 duplicates and 0 dead letters",
  ]);
  expect(await stores.receipts.discrepancies(Date.now() + 1000)).toEqual([]);
});

test("an alert that two workers stored at the same time is one, and one duplicate", async () => {
  await batch({ tallies: [tally(2, 2, 0)] }, [1n, 2n]);
  await batch({ tallies: [tally(2, 2, 0)] }, [2n, 3n]);
  const receipt = await night();
  expect(receipt).toMatchObject({ received: 4, stored: 3, duplicates: 1, archived: 3 });
  expect(nightAdds(receipt)).toBe(true);
});

test("a dead letter that is delivered again is a duplicate; one that was replayed is what became of it", async () => {
  const [one, two] = [letter(1n), letter(2n)];
  await batch({ tallies: [tally(3, 1, 0)], letters: counted(one, two) }, [1n]);
  await batch({ tallies: [tally(1, 0, 0)], letters: counted(one) });
  expect(await night()).toMatchObject({ received: 4, stored: 1, duplicates: 1, deadLetters: 2 });
  await stores.deadLetters.add([one, two]);
  const owner = { scope: "owner", programids: new Map(), mayChange: true };
  const all = await stores.deadLetters.page(owner, {}, 10, null);
  const { id } = all.find(({ origin }) => origin.offset === 1n)!;
  // Not before its batch is committed.
  await batch({ tallies: [tally(1, 1, 0)], replayed: [id] }, [], { commit: false });
  expect(await night()).toMatchObject({ received: 4, deadLetters: 2 });
  await batch({ tallies: [tally(1, 1, 0)], replayed: [id] }, [9n]);
  const receipt = await night();
  expect(receipt).toMatchObject({ received: 4, stored: 2, duplicates: 1, deadLetters: 1, archived: 2 });
  expect(nightAdds(receipt)).toBe(true);
  const after = await stores.deadLetters.page(owner, { replayed: true }, 10, null);
  expect(after.map((found) => found.id)).toEqual([id]);
  expect(after[0]!.replayedAt).toBeGreaterThan(0);
  expect((await stores.deadLetters.page(owner, { replayed: false }, 10, null)).map((found) => found.id)).not.toContain(
    id,
  );
});

test("dead letters of no known survey are told by their date", async () => {
  const lost = { letter: letter(5n), part: { source: "noise", partition: null }, survey: null, night: NIGHT.name };
  await batch({ tallies: [{ ...tally(1, 0, 0), survey: null, ...lost.part }], letters: [lost] });
  const receipt = await night();
  expect(receipt).toMatchObject({ received: 0, sources: [] });
  expect(receipt.unattributed).toMatchObject([{ ...lost.part, received: 1, deadLetters: 1 }]);
  expect(nightAdds(receipt)).toBe(true);
});

test("gaps are the offsets between a night's first and last that no batch had", async () => {
  const offsets = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      offsets,
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 61, maxLength: 61 }),
      async (had, whose) => {
        topics += 1;
        const part = { source: `topic ${topics}`, partition: 0 };
        // Batches of this night, of another one, and one that was never committed.
        const groups = [0, 1, 2].map((group) => had.filter((offset) => whose[offset] === group).sort((a, b) => a - b));
        for (const [group, members] of groups.entries()) {
          const tallies = [{ ...tally(0, 0, 0), ...part, night: group === 1 ? "20231013" : NIGHT.name }];
          const ranges = members.map((offset) => ({ ...part, first: BigInt(offset), last: BigInt(offset) }));
          if (members.length > 0) await batch({ tallies, ranges }, [], { commit: group < 2 });
        }
        const [ours, others] = groups as [number[], number[]];
        const found = (await night()).sources.find(({ source }) => source === part.source);
        if (ours.length === 0) {
          expect(found).toBeUndefined();
          return;
        }
        const [first, last] = [ours[0]!, ours.at(-1)!];
        expect(found!.offsets).toEqual({ first: BigInt(first), last: BigInt(last) });
        const present = new Set([...ours, ...others]);
        const missing = Array.from({ length: last - first + 1 }, (_, n) => first + n).filter((n) => !present.has(n));
        const told = found!.gaps.flatMap((gap) =>
          Array.from({ length: Number(gap.last - gap.first) + 1 }, (_, n) => Number(gap.first) + n),
        );
        expect(told).toEqual(missing);
      },
    ),
    { numRuns: 25 },
  );
});
