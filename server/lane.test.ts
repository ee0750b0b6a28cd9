// The lane of heavy operations: who enters it, how many at once, and how long it rests while ingest is at work.
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { Pace } from "../resolvers/pace.js";
import { until } from "../test/until.js";
import { HEAVY_COST, Lane } from "./lane.js";

const { signal } = new AbortController();
let lane: Lane;
afterEach(() => lane.stop());
const create = (pressed: boolean, running = 8) => {
  lane = new Lane({ running }, 30_000, new Pace(() => pressed));
};
/** Enters for each caller; what has entered so far, with the function that leaves. */
function enter(...callers: string[]) {
  const entered = new Map<string, () => void>();
  for (const key of callers) void lane.enter(HEAVY_COST, { key }, signal).then((leave) => entered.set(key, leave));
  return entered;
}

it("light operations pass it by", async () => {
  create(true);
  enter("a", "b");
  for (let n = 0; n < 100; n += 1) (await lane.enter(HEAVY_COST - 1, { key: "c" }, signal))();
});

it("takes two at once, and the next without a rest, while nobody else is at work", async () => {
  create(false);
  const entered = enter("a", "b", "c");
  await until("two", () => entered.size === 2);
  const from = performance.now();
  await pause(200);
  expect(entered.size).toBe(2);
  entered.get("a")!();
  await until("the third", () => entered.size === 3);
  expect(performance.now() - from).toBeLessThan(800);
});

it("takes one at once while ingest is at work, and rests four times as long as that took", async () => {
  create(true);
  const entered = enter("a", "b");
  await until("one", () => entered.size === 1);
  await pause(200);
  expect(entered.size).toBe(1);
  const from = performance.now();
  entered.get("a")!();
  await until("the other", () => entered.size === 2);
  expect(performance.now() - from).toBeGreaterThan(700);
});

it("turns away who would fill the places of others", async () => {
  create(true, 4);
  const entered = enter("a", "b", "c");
  await until("one", () => entered.size === 1);
  await expect(lane.enter(HEAVY_COST, { key: "d" }, signal)).rejects.toMatchObject({ code: "OVERLOADED" });
});
