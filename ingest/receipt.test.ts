// What a take's receipts tell of its deliveries: fabricated packets with origins in Kafka and in files.
import fc from "fast-check";
import { expect, test } from "vitest";
import { nightNamed } from "../domain/night.js";
import type { DeadLetter, Origin, Packet } from "../domain/packet.js";
import { testBatch, testSurvey } from "../test/batches.js";
import type { Deduped } from "./dedupe.js";
import { type Outcome, Receipts } from "./receipt.js";

const NIGHT = nightNamed("20231012", 0);
const AT = Date.UTC(2026, 10, 21, 5);
const SCHEMA = { fingerprint: "0123456789abcdef", text: "{}" };

const kafka = (offset: number, partition = 0, source = "topic"): Origin => {
  return { source, position: `partition ${partition} offset ${offset}`, partition, offset: BigInt(offset) };
};
const packet = (origin: Origin, replayOf?: bigint): Packet => {
  return { bytes: new Uint8Array(1), schema: SCHEMA, origin, ...(replayOf !== undefined && { replayOf }) };
};
const letter = (origin: Origin, more: Partial<DeadLetter> = {}): DeadLetter => {
  return { reason: "EMPTY", message: "", origin, survey: null, bytes: null, schemaFingerprint: null, ...more };
};

/** The packets as ZTF alerts of one night; those named are duplicates. */
function outcome(packets: readonly Packet[], duplicates: ReadonlySet<number> = new Set(), jd = NIGHT.startJd): Outcome {
  const made = (chosen: readonly Packet[]) => {
    const alerts = chosen.map((_, n) => ({ candid: BigInt(n), objectId: "o", jd, ra: 1, dec: 1 }));
    return { ...testBatch(testSurvey("ZTF"), alerts), packets: chosen };
  };
  const duplicateRows = [...packets.keys()].filter((row) => duplicates.has(row));
  const stored = packets.filter((_, row) => !duplicates.has(row));
  const deduped = { batch: made(stored), duplicates: duplicateRows.length, duplicateRows } as unknown as Deduped;
  return { whole: made(packets), deduped };
}

test("what came is told by night, source and partition; offsets as ranges without holes", () => {
  const messages = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 30 })), {
    selector: String,
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(messages, (pairs) => {
      const packets = pairs.map(([partition, offset]) => packet(kafka(offset, partition)));
      const [told] = new Receipts().of(packets, [], [outcome(packets)], [], AT);
      for (const partition of [0, 1, 2]) {
        const expected = pairs.flatMap(([p, offset]) => (p === partition ? [offset] : [])).sort((a, b) => a - b);
        const ranges = told!.ranges.filter((range) => range.partition === partition);
        const covered = ranges.flatMap(({ first, last }) =>
          Array.from({ length: Number(last - first) + 1 }, (_, n) => Number(first) + n),
        );
        expect(covered).toEqual(expected);
        for (const [n, range] of ranges.entries())
          if (n > 0) expect(range.first).toBeGreaterThan(ranges[n - 1]!.last + 1n);
        const counts = told!.tallies.filter((tally) => tally.partition === partition);
        expect(counts.map(({ received, stored, duplicates }) => [received, stored, duplicates])).toEqual(
          expected.length === 0 ? [] : [[expected.length, expected.length, 0]],
        );
      }
    }),
  );
});

test("offsets that are known to be no messages are no holes", () => {
  const packets = [packet(kafka(10)), packet({ ...kafka(14), since: 11n })];
  expect(new Receipts().of(packets, [], [outcome(packets)], [], AT)[0]!.ranges).toEqual([
    { source: "topic", partition: 0, first: 10n, last: 14n },
  ]);
});

test("members of an archive count as the archive", () => {
  const packets = [1, 2, 3].map((n) => packet({ source: `night.tar!${n}.avro`, position: "record 1" }));
  expect(new Receipts().of(packets, [], [outcome(packets, new Set([1]))], [], AT)[0]!.tallies).toEqual([
    { survey: "ZTF", night: "20231012", source: "night.tar", partition: null, received: 3, stored: 2, duplicates: 1 },
  ]);
});

test("a dead letter belongs to the night of its source's other packets, else to that of its reception", () => {
  const receipts = new Receipts();
  const packets = [packet(kafka(1))];
  const lost = [letter(kafka(2)), letter(kafka(1, 0, "other")), letter(kafka(2, 0, "rubin"), { survey: "LSST" })];
  const [told] = receipts.of(packets, lost, [outcome(packets)], lost, AT);
  expect(told!.letters.map(({ survey, night, part }) => [part.source, survey, night])).toEqual([
    ["topic", "ZTF", "20231012"],
    ["other", null, "20261121"],
    // Five o'clock UTC is still the evening before for Rubin.
    ["rubin", "LSST", "20261120"],
  ]);
  expect(told!.tallies.reduce((sum, { received }) => sum + received, 0)).toBe(4);
  // Of a batch without any other packet the topic is remembered.
  const later = [letter(kafka(9))];
  expect(receipts.of([], later, [], later, AT)[0]!.letters[0]).toMatchObject({ survey: "ZTF", night: "20231012" });
});

test("what has no outcome is received all the same, and does not add up", () => {
  const packets = [packet(kafka(1)), packet(kafka(2)), packet(kafka(3))];
  const [told] = new Receipts().of(packets, [], [outcome(packets.slice(0, 2))], [], AT);
  expect(told!.tallies.map(({ survey, received, stored }) => [survey, received, stored])).toEqual([
    ["ZTF", 2, 2],
    [null, 1, 0],
  ]);
});

test("a replay is no delivery; one that fails counts for nothing but what it stored", () => {
  const packets = [packet(kafka(1), 7n), packet(kafka(2), 8n), packet(kafka(2), 8n)];
  const failed = [letter(kafka(2), { replayOf: 8n })];
  const [told] = new Receipts().of(packets, failed, [outcome(packets, new Set([2]))], failed, AT);
  expect(told).toMatchObject({ replayed: [7n], letters: [], ranges: [] });
  expect(told!.tallies).toMatchObject([{ survey: "ZTF", received: 2, stored: 2, duplicates: 0 }]);
});
