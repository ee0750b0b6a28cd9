// The lease on the embedded graph: the contract of all leases, and that of the only process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { leaseContract } from "../lease.contract.js";
import { openGrafeo } from "./grafeo.js";
import type { Graph } from "./graph.js";
import { createLease, soleLease } from "./lease.js";

describe("grafeo", () => {
  let dir: string;
  let graph: Graph;
  const open = async (): Promise<Graph> => {
    const opened = openGrafeo(join(dir, "graph"));
    await opened.migrate();
    return opened;
  };
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "tocsin-lease-"));
    graph = await open();
  });
  afterAll(async () => {
    await graph.close();
    rmSync(dir, { recursive: true });
  });

  leaseContract(() => [(name, options) => createLease(graph, name, options)], 50);

  it("is free when its time is over by a clock that was set back meanwhile", async () => {
    const clock = vi.spyOn(Date, "now");
    try {
      const [one, other] = ["one", "other"].map((holder) => createLease(graph, "clock", { holder, seconds: 6 }));
      clock.mockReturnValue(3_600_000);
      expect(await one!.hold()).toBe(1n);
      clock.mockReturnValue(0);
      expect(await other!.hold()).toBe(2n);
      expect(await one!.hold()).toBeNull();
      clock.mockReturnValue(6_001);
      expect(await one!.hold()).toBe(3n);
    } finally {
      clock.mockRestore();
    }
  });

  it("belongs to the only process, under a new epoch at each start", async () => {
    for (const epoch of [1n, 2n, 3n]) {
      const lease = soleLease(graph, "sole");
      expect(await Promise.all([lease.hold(), lease.hold()])).toEqual([epoch, epoch]);
      expect(await lease.hold()).toBe(epoch);
      await graph.close();
      graph = await open();
    }
  });
});
