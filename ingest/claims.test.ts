// Claims of processes that share a graph, each with leases of its own on it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openGrafeo } from "../stores/graph/grafeo.js";
import type { Graph } from "../stores/graph/graph.js";
import { createLease } from "../stores/graph/lease.js";
import { createClaims } from "./claims.js";

let dir: string;
let graph: Graph;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "tocsin-claims-"));
  graph = openGrafeo(join(dir, "graph"));
  await graph.migrate();
});
afterAll(async () => {
  await graph.close();
  rmSync(dir, { recursive: true });
});

const never = new AbortController().signal;
const claimsOf = (holder: string, seconds = 60, renewMs = 10) =>
  createClaims((name) => createLease(graph, name, { holder, seconds }), renewMs);

/** Work that goes on until it is ended. */
function open() {
  let begin = (): void => {};
  let end = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const work = async () => {
    begin();
    await ended;
    return 7;
  };
  return { work, begun, end };
}

it("refuses the second, saying who the first is, and lets it in afterwards", async () => {
  const [one, other] = [claimsOf("host 11"), claimsOf("host 22")];
  const { work, begun, end } = open();
  const first = one.during("catalog gaia", never, work);
  await begun;
  await expect(other.during("catalog gaia", never, work)).rejects.toMatchObject({
    code: "LOAD_IN_PROGRESS",
    message: "The catalog gaia is being loaded or removed by the process host 11.",
  });
  await expect(one.during("catalog gaia", never, work)).rejects.toMatchObject({ code: "LOAD_IN_PROGRESS" });
  expect(await other.during("catalog vsx", never, async () => 1)).toBe(1);
  end();
  expect(await first).toBe(7);
  expect(await other.during("catalog gaia", never, async () => 2)).toBe(2);
});

it("lets go of what failed", async () => {
  const [one, other] = [claimsOf("one"), claimsOf("other")];
  const failing = one.during("catalog bad", never, () => Promise.reject(new Error("no good")));
  await expect(failing).rejects.toThrow("no good");
  expect(await other.during("catalog bad", never, async () => 2)).toBe(2);
});

it("is renewed while the work goes on", async () => {
  const [one, other] = [claimsOf("one", 1), claimsOf("other")];
  const { work, begun, end } = open();
  const first = one.during("catalog long", never, work);
  await begun;
  const until = performance.now() + 1_500;
  while (performance.now() < until) {
    await expect(other.during("catalog long", never, work)).rejects.toMatchObject({ code: "LOAD_IN_PROGRESS" });
    await delay(20);
  }
  end();
  expect(await first).toBe(7);
});

it("ends the work of a process that was frozen while another took over", async () => {
  const [frozen, other] = [claimsOf("frozen", 0, 400), claimsOf("other")];
  const work = (signal: AbortSignal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  const first = frozen.during("catalog cold", never, work);
  first.catch(() => {});
  const { work: long, begun, end } = open();
  await expect.poll(() => other.during("catalog cold", never, async () => 1).catch(() => 0)).toBe(1);
  const second = other.during("catalog cold", never, long);
  await begun;
  await expect(first).rejects.toMatchObject({
    code: "LOAD_IN_PROGRESS",
    message: "The catalog cold is being loaded or removed by the process other.",
  });
  end();
  expect(await second).toBe(7);
});

it("is the process's own where no other can be there", async () => {
  const alone = createClaims(null);
  const { work, begun, end } = open();
  const first = alone.during("catalog gaia", never, work);
  await begun;
  await expect(alone.during("catalog gaia", never, work)).rejects.toThrow(`by the process this one, ${process.pid}`);
  end();
  expect(await first).toBe(7);
});
