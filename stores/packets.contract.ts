// What every packet store does: the bytes come back that were put in, whoever asks, or an error says why not. Called with
// each store by its tests.
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { WriterSchema } from "../domain/packet.js";
import type { PacketLocation, PacketStore } from "./packets.store.js";

const schemaOf = (text: string): WriterSchema => ({
  fingerprint: createHash("sha256").update(text).digest("hex").slice(0, 16),
  text,
});
export const schemas = [schemaOf('{"type":"record","name":"a","fields":[]}'), schemaOf('"long"')] as const;

/** Bytes that tell their number, so that a mixed-up read is seen. */
export function packet(n: number, length = 1 + ((n * 7919) % 5000)): { bytes: Uint8Array; schema: WriterSchema } {
  return {
    bytes: Buffer.from(Array.from({ length }, (_, k) => (n * 31 + k * 17 + (k >> 8)) & 255)),
    schema: schemas[n % 2 ? 1 : 0],
  };
}
export const batch = (first: number, count: number) => Array.from({ length: count }, (_, k) => packet(first + k));

const code = (expected: string) => expect.objectContaining({ code: expected });

/** `open` gives an empty store, `reopen` another one over the same data. */
export function packetContract(open: () => Promise<PacketStore>, reopen: () => Promise<PacketStore>): void {
  describe("packets", () => {
    let store: PacketStore;
    beforeEach(async () => {
      store = await open();
    });

    it("come back as they were put in, from this store and the next", async () => {
      const locations: PacketLocation[] = [];
      for (let n = 0; n < 100; n += 10) locations.push(...(await store.append(batch(n, 10))));
      for (const [n, location] of locations.entries()) expect(await store.read(location)).toEqual(packet(n));
      expect(await store.append([])).toEqual([]);
      await store.close();
      await expect(store.read(locations[0]!)).rejects.toThrow(code("INTERNAL"));
      await expect(store.append(batch(0, 1))).rejects.toThrow(code("INTERNAL"));

      const again = await reopen();
      for (const [n, location] of locations.entries()) expect(await again.read(location)).toEqual(packet(n));
      const [more] = await again.append([packet(100)]);
      expect((await again.read(more!)).bytes).toEqual(packet(100).bytes);
      await again.close();
    });

    it("come in many batches at once, each in its order, and are read many at once", async () => {
      const all = await Promise.all(Array.from({ length: 40 }, (_, b) => store.append(batch(b * 5, 5))));
      const locations = all.flat();
      await Promise.all(locations.map(async (location, n) => expect(await store.read(location)).toEqual(packet(n))));
      expect(new Set(locations.map((l) => `${l.segment}:${l.offset}`)).size).toBe(200);
      await store.close();
    });

    it("are empty or long as they like, together more than fits into one write", async () => {
      const lengths = [0, 1, 9_000_000, 9_000_000, 3];
      const packets = lengths.map((length, n) => ({ bytes: Buffer.alloc(length, n + 1), schema: schemas[0] }));
      const locations = await store.append(packets);
      expect(locations.map(({ length }) => length)).toEqual(lengths);
      const read = await Promise.all(locations.map((location) => store.read(location)));
      expect(read.every(({ bytes }, n) => packets[n]!.bytes.equals(bytes))).toBe(true);
      await store.close();
    });

    it("are at no other place: a wrong location is an error, never other bytes", async () => {
      const [a, b] = await store.append([packet(1, 500), packet(2, 500)]);
      for (const wrong of [
        { offset: b!.offset + 1 },
        { length: 499 },
        { length: 5000 },
        { segment: b!.segment + 1 },
        { schema: a!.schema },
      ]) {
        await expect(store.read({ ...b!, ...wrong })).rejects.toThrow(code("DATA_DAMAGED"));
      }
      await expect(store.read({ ...b!, length: 1e12 })).rejects.toThrow(code("BAD_ARGUMENT"));
      await expect(store.read({ ...b!, offset: -1 })).rejects.toThrow(code("BAD_ARGUMENT"));
      expect((await store.read(b!)).bytes).toEqual(packet(2, 500).bytes);
      await store.close();
    });

    it("have a schema with a fingerprint", async () => {
      const schema = { fingerprint: "../../../evil", text: "{}" };
      await expect(store.append([{ bytes: new Uint8Array(1), schema }])).rejects.toThrow(code("BAD_ARGUMENT"));
      await store.close();
    });
  });
}
