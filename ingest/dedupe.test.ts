// Which alerts are new, against a plain account of what was seen before, over random batches.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testBatch, testSurvey } from "../test/batches.js";
import { contentHash, dedupe } from "./dedupe.js";

const ZTF = testSurvey("ZTF");
interface Told {
  readonly candid: number;
  /** Packets with one candid and one content are the same. */
  readonly content: number;
}
const bytesOf = ({ candid, content }: Told): Uint8Array => Buffer.from(`${candid} says ${content}`);

function batchOf(told: readonly Told[], bytes = told.map(bytesOf)) {
  const batch = testBatch(
    ZTF,
    told.map(({ candid }, n) => ({
      candid: BigInt(candid),
      objectId: `o${candid}`,
      jd: 2_460_000.5 + n,
      ra: 10,
      dec: 10,
      points: [{ kind: 1, pointId: BigInt(candid), jd: 2_460_000.5 + n }],
    })),
  );
  return { ...batch, packets: batch.packets.map((packet, n) => ({ ...packet, bytes: bytes[n]! })) };
}

interface Stored {
  content: number;
  committed: boolean;
}
function archiveOf(stored: ReadonlyMap<number, Stored>) {
  const known = async (_: string, candids: BigInt64Array) =>
    new Map(
      [...candids].flatMap((candid) => {
        const row = stored.get(Number(candid));
        if (row === undefined) return [];
        const hash = contentHash(bytesOf({ candid: Number(candid), content: row.content }));
        return [[candid, { contentHash: hash, committed: row.committed }] as const];
      }),
    );
  return { known } as unknown as Parameters<typeof dedupe>[1];
}

const told = fc.record({ candid: fc.integer({ min: 1, max: 6 }), content: fc.integer({ min: 1, max: 2 }) });
const rowsOf = (entry: fc.Arbitrary<Stored>) =>
  fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), entry)).map((pairs) => new Map(pairs));

describe("dedupe", () => {
  test("takes each candid once, in order; what says otherwise is a conflict; what is unfinished is taken again", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(told, { maxLength: 15 }),
        rowsOf(fc.record({ content: fc.integer({ min: 1, max: 2 }), committed: fc.boolean() })),
        rowsOf(fc.record({ content: fc.integer({ min: 1, max: 2 }), committed: fc.constant(false) })),
        async (packets, stored, flying) => {
          const inFlight = new Map(
            [...flying].map(([candid, { content }]) => [BigInt(candid), contentHash(bytesOf({ candid, content }))]),
          );
          const { batch, contentHashes, areNew, duplicates, conflicts } = await dedupe(
            batchOf(packets),
            archiveOf(stored),
            inFlight,
          );

          const content = new Map([...stored, ...flying].map(([candid, row]) => [candid, row.content]));
          const done = new Set([...flying.keys(), ...[...stored].filter(([, row]) => row.committed).map(([id]) => id)]);
          const taken: Told[] = [];
          const others: Told[] = [];
          let repeats = 0;
          for (const packet of packets) {
            if ((content.get(packet.candid) ?? packet.content) !== packet.content) others.push(packet);
            else if (done.has(packet.candid)) repeats += 1;
            else {
              taken.push(packet);
              done.add(packet.candid);
              content.set(packet.candid, packet.content);
            }
          }
          expect(batch.packets.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(
            taken.map((each) => bytesOf(each).toString()),
          );
          expect([...(batch.alerts.columns.get("candid")!.values as BigInt64Array)]).toEqual(
            taken.map(({ candid }) => BigInt(candid)),
          );
          // Points stay with the alert that told them.
          expect(batch.toldBy).toEqual(Uint32Array.from(taken.keys()));
          expect([...(batch.photometry.columns.get("pointId")!.values as BigInt64Array)]).toEqual(
            taken.map(({ candid }) => BigInt(candid)),
          );
          expect([...contentHashes]).toEqual(taken.map((each) => contentHash(bytesOf(each))));
          expect(duplicates).toBe(repeats);
          expect(areNew).toBe(!packets.some(({ candid }) => stored.has(candid)));
          expect(conflicts.map(({ bytes }) => Buffer.from(bytes!).toString())).toEqual(
            others.map((each) => bytesOf(each).toString()),
          );
        },
      ),
      { numRuns: 300 },
    ));

  test("a conflict names the candid, and keeps a bounded part of the packet", async () => {
    const large = Buffer.alloc(17 * 2 ** 20, 1);
    const packets = [
      { candid: 7, content: 1 },
      { candid: 7, content: 2 },
    ];
    const { conflicts } = await dedupe(batchOf(packets, [Buffer.from("a"), large]), archiveOf(new Map()), new Map());
    expect(conflicts[0]).toMatchObject({ reason: "CANDID_CONFLICT", survey: "ZTF", origin: { source: "test" } });
    expect(conflicts[0]!.message).toContain("7");
    expect(conflicts[0]!.bytes!.length).toBe(16 * 2 ** 20);
  });

  test("hashes tell length and content", () => {
    const hashes = ["", "a", "b", "aa", "ab", "ba"].map((text) => contentHash(Buffer.from(text)));
    expect(new Set(hashes).size).toBe(6);
    expect(contentHash(Buffer.from("123456789"))).toBe((0xcbf43926n << 32n) | 9n);
  });
});
