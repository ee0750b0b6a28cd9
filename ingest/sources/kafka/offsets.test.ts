// Bookmarks: never past what is not stored, whatever the order; and what a join of the group changes.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Delivery, PartitionOffsets } from "./offsets.js";

test("the bookmark is always the first offset that is not stored", () => {
  // Steps: hand on a message (with a gap of control records before it), or store one item of any in flight.
  const step = fc.oneof(
    fc.record({ gap: fc.nat({ max: 3 }), items: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ pick: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 62n }), fc.array(step, { maxLength: 200 }), (from, steps) => {
      const offsets = new PartitionOffsets("t", 0, from);
      const left = new Map<bigint, { delivery: Delivery; items: number }>();
      let next = from;
      for (const taken of steps) {
        if ("items" in taken) {
          const offset = next + BigInt(taken.gap);
          left.set(offset, { delivery: offsets.handOn(offset, taken.items), items: taken.items });
          next = offset + 1n;
        } else if (left.size > 0) {
          const [offset, entry] = [...left][taken.pick % left.size]!;
          offsets.stored(entry.delivery);
          entry.items -= 1;
          if (entry.items === 0) left.delete(offset);
        }
        const open = [...left.keys()].reduce((least, offset) => (offset < least ? offset : least), next);
        expect(offsets.bookmark).toBe(open);
      }
      for (const { delivery, items } of left.values()) for (let i = 0; i < items; i += 1) offsets.stored(delivery);
      expect(offsets.bookmark).toBe(next);
    }),
  );
});

test("telling twice that something is stored changes nothing", () => {
  const offsets = new PartitionOffsets("t", 0, 5n);
  const first = offsets.handOn(5n, 1);
  offsets.handOn(6n, 2);
  offsets.stored(first);
  offsets.stored(first);
  expect(offsets.bookmark).toBe(6n);
});

test("control records at the end are passed", () => {
  const offsets = new PartitionOffsets("t", 0, 0n);
  const delivery = offsets.handOn(0n, 1);
  offsets.passTo(3n);
  expect(offsets.bookmark).toBe(0n);
  offsets.stored(delivery);
  expect(offsets.bookmark).toBe(3n);
  offsets.passTo(2n);
  expect(offsets.bookmark).toBe(3n);
});

test("after a join what is in flight is known again; a log that begins anew is told apart", () => {
  const offsets = new PartitionOffsets("t", 0, 10n);
  for (const offset of [10n, 11n, 12n]) {
    expect(offsets.lookAt(offset)).toBe(true);
    offsets.stored(offsets.handOn(offset, 1));
  }
  expect(offsets.goesOnAt(13n)).toBe(true);
  expect(offsets.goesOnAt(0n)).toBe(false);
  offsets.confirmed = 11n;
  offsets.rejoin();
  // The commit of 13 arrives while the batch that was fetched at 11 is on its way.
  offsets.confirmed = 13n;
  expect(offsets.goesOnAt(10n)).toBe(false);
  expect(offsets.goesOnAt(11n)).toBe(true);
  expect([11n, 12n, 13n].map((offset) => offsets.lookAt(offset))).toEqual([false, false, true]);
});

test("what was in flight before a join does not take the bookmark back from where others have moved it", () => {
  const offsets = new PartitionOffsets("t", 0, 10n);
  const deliveries = [10n, 11n].map((offset) => offsets.handOn(offset, 1));
  offsets.rejoin();
  for (const delivery of deliveries) offsets.stored(delivery);
  expect(offsets.bookmark).toBe(12n);
  expect(offsets.toCommit).toBeNull();
  // Somebody else has read on to 60 meanwhile.
  offsets.readAt(60n);
  expect(offsets.toCommit).toBeNull();
  offsets.stored(offsets.handOn(60n, 1));
  expect(offsets.toCommit).toBe(61n);
  // Nobody has: it comes again from the bookmark, and is committed.
  offsets.confirmed = 61n;
  const again = offsets.handOn(61n, 1);
  offsets.rejoin();
  offsets.stored(again);
  offsets.readAt(61n);
  expect(offsets.toCommit).toBe(62n);
});
