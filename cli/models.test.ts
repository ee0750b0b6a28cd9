// `models add`: what is copied, what is said of it, and what is refused before it is there.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeTiny } from "../ingest/classifiers/models.fixture.js";
import { addModel } from "./models.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-models-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const add = async (...model: Parameters<typeof writeTiny> extends [string, ...infer Rest] ? Rest : never) =>
  addModel(await writeTiny(join(folder, "from"), ...model), join(folder, "to"));

test("a model is copied, and one that takes a single alert is told to be slower than it could be", async () => {
  expect(await add("together", "sum")).toEqual({ path: join(folder, "to/together-1"), notes: [] });
  const { notes } = await add("alone", "one");
  expect(notes).toEqual([expect.stringMatching(/^Its batch is fixed to 1.*dynamic batch axis/)]);
  expect((await readdir(join(folder, "to"))).sort()).toEqual(["alone-1", "together-1"]);
});

test("one of cutouts is tried as well, for a survey that is not here", async () => {
  const inputs = [
    {
      ...{ tensor: "x", kind: "cutouts" as const, cutouts: ["science" as const], size: 2, fill: 0 },
      ...{ layout: "channelsLast" as const, normalise: "none" as const, missing: "skip" as const },
    },
  ];
  await expect(add("stamps", "sum", { inputs, surveys: ["LS4"] })).rejects.toMatchObject({
    code: "BAD_MODEL",
    message: expect.stringMatching(/its input x has the shape \[N, 2\], not \[N, 2, 2, 1\]/),
  });
});

test.each([
  ["takes batches of four", "four", {}, /dynamic batch axis, or with a batch of 1/],
  ["gives maps", "zipMap", { outputs: [{ tensor: "p", names: ["a"] }] }, /options=\{'zipmap': False\}/],
] as const)("a model that %s is not added", async (_, of, told, why) => {
  await expect(add("one", of, told as never)).rejects.toMatchObject({
    code: "BAD_MODEL",
    message: expect.stringMatching(why),
  });
  await expect(readdir(join(folder, "to"))).rejects.toMatchObject({ code: "ENOENT" });
});
