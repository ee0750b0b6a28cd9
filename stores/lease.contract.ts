// What every Lease among several processes must do. Run on each engine by stores/graph.
import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import type { NamedLease } from "./lease.store.js";

export type MakeLease = (name: string, options: { holder: string; seconds: number }) => NamedLease;

/** `makers` make leases of one graph, each as if in a process of its own. */
export function leaseContract(makers: () => readonly MakeLease[], rounds: number): void {
  describe("lease", () => {
    const make = (name: string, seconds: number, process = 0, holder = "test"): NamedLease => {
      const all = makers();
      return all[process % all.length]!(name, { holder, seconds });
    };

    it("is held by one, who renews it under the same epoch", async () => {
      const name = randomUUID();
      const [one, other] = [make(name, 60), make(name, 60, 1)];
      expect(await one.hold()).toBe(1n);
      expect(await other.hold()).toBeNull();
      expect(await one.hold()).toBe(1n);
      expect(await make(randomUUID(), 60, 1).hold()).toBe(1n);
    });

    it("goes to the next one when it is released, at once and under the next epoch", async () => {
      const name = randomUUID();
      const [one, other] = [make(name, 60), make(name, 60, 1)];
      await one.hold();
      await other.release();
      expect(await other.hold()).toBeNull();
      await one.release();
      expect(await other.hold()).toBe(2n);
      expect(await one.hold()).toBeNull();
      await other.release();
      expect(await other.hold()).toBe(3n);
    });

    it("says who holds it, to everybody, while somebody does", async () => {
      const name = randomUUID();
      const [one, other] = [make(name, 60, 0, "one"), make(name, 60, 1, "other")];
      expect(await other.holder()).toBeNull();
      await one.hold();
      await other.hold();
      expect(await Promise.all([one.holder(), other.holder()])).toEqual(["one", "one"]);
      await one.release();
      expect(await other.holder()).toBeNull();
      await make(name, 0, 0, "short").hold();
      expect(await other.holder()).toBeNull();
    });

    it("goes to another when it runs out, not before, and its old holder learns of it", async () => {
      const name = randomUUID();
      const [one, other] = [make(name, 0.5), make(name, 60, 1)];
      const before = performance.now();
      await one.hold();
      await vi.waitFor(async () => expect(await other.hold()).toBe(2n), { timeout: 10_000, interval: 20 });
      expect(performance.now() - before).toBeGreaterThan(490);
      expect(await one.hold()).toBeNull();
    });

    it("is taken anew by the same process after it ran out", async () => {
      const one = make(randomUUID(), 0);
      expect(await one.hold()).toBe(1n);
      expect(await one.hold()).toBe(2n);
    });

    it(`is won by exactly one of ten at once, ${rounds} times`, async () => {
      const name = randomUUID();
      for (let round = 1; round <= rounds; round += 1) {
        const takers = Array.from({ length: 10 }, (_, i) => make(name, 60, i));
        const epochs = await Promise.all(takers.map((taker) => taker.hold()));
        expect(epochs.filter((epoch) => epoch !== null)).toEqual([BigInt(round)]);
        await takers[epochs.findIndex((epoch) => epoch !== null)]!.release();
      }
    });
  });
}
