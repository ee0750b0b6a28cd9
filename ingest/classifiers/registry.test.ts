// Folders of models: what comes, goes and changes while the service runs; and what is no model.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../../test/until.js";
import { readModel } from "./folder.js";
import { writeTiny } from "./models.fixture.js";
import { createModelRegistry, type ModelRegistry } from "./registry.js";

let folder: string;
let registry: ModelRegistry;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-models-"));
  lines = [];
});
afterEach(async () => {
  registry?.close();
  await rm(folder, { recursive: true, force: true });
});

const open = async () => {
  registry = await createModelRegistry({ folders: [folder], log: (line) => lines.push(line) });
};
const operands = () => registry.operands("ZTF").values.map(({ name }) => name);
const states = () => registry.list().map(({ name, version, state }) => `${name} ${version} ${state}`);

test("a model that is added is there without a restart, and gone when its folder goes", async () => {
  await open();
  let changes = 0;
  registry.onChange(() => {
    changes += 1;
  });
  expect(operands()).toEqual([]);
  const path = await writeTiny(folder, "first", "sum", { class: { of: ["y"], threshold: 1 } });
  await until("the added model", () => operands().length > 0);
  expect(operands()).toEqual(["score.first.y", "class.first"]);
  expect(registry.operands("LSST").values).toEqual([]);
  await rm(path, { recursive: true });
  await until("the removed model to go", () => operands().length === 0);
  expect(changes).toBe(2);
  expect(lines).toEqual([]);
});

test("a state that is set holds for who looks at the same folder", async () => {
  await writeTiny(folder, "one", "sum", { state: "shadow" });
  await open();
  expect(operands()).toEqual([]);
  const other = await createModelRegistry({ folders: [folder], log: (line) => lines.push(line) });
  try {
    expect((await other.setState("one", "1", "active")).state).toBe("active");
    await registry.refresh();
    expect(operands()).toEqual(["score.one.y"]);
    await expect(registry.setState("one", "2", "active")).rejects.toMatchObject({ code: "UNKNOWN_MODEL" });
  } finally {
    other.close();
  }
});

test("a name has one active version: the one that was chosen last", async () => {
  await writeTiny(folder, "one", "sum");
  await writeTiny(folder, "one", "logOfFirst", { version: "2" });
  await open();
  expect(states()).toEqual(["one 1 retired", "one 2 active"]);
  await registry.setState("one", "1", "active");
  expect(states()).toEqual(["one 1 active", "one 2 retired"]);
  await registry.setState("one", "2", "shadow");
  expect(states()).toEqual(["one 1 active", "one 2 shadow"]);
  expect(operands()).toEqual(["score.one.y"]);
});

test("a model that regularly takes seconds for a batch is told, once, until it is quick again", async () => {
  await writeTiny(folder, "one", "sum");
  await open();
  const take = (ms: number, times: number) => {
    for (let n = 0; n < times; n += 1) registry.succeeded("one 1", { ms, rows: 900 });
  };
  take(50, 6);
  take(3_000, 4);
  expect(registry.list()[0]!.slow).toBeNull();
  expect(registry.paces()).toEqual(new Map([["one 1", 0.05]]));
  take(3_000, 6);
  expect(registry.list()[0]!.slow).toBe("It takes 3.0 s a batch: no more than 300 alerts a second get through.");
  expect(lines).toEqual([expect.stringMatching(/^The model one 1 holds up the stream. It takes 3.0 s a batch: /)]);
  take(50, 10);
  expect(registry.list()[0]!.slow).toBeNull();
  take(3_000, 10);
  expect(lines).toHaveLength(2);
  expect((await registry.setState("one", "1", "shadow")).slow).toBeNull();
});

test("the lists that models read are told", async () => {
  const list = { tensor: "x", kind: "list" as const, take: "last" as const, pad: 0, missing: 0, length: 5 };
  await writeTiny(folder, "curve", "sum", {
    inputs: [{ ...list, lists: ["detections", "forced"], fields: ["age", "flux"] }],
  });
  await writeTiny(folder, "near", "sum", { inputs: [{ ...list, lists: ["match.gaia"], fields: ["parallax"] }] });
  await open();
  expect([...registry.wantedLists("ZTF")].sort()).toEqual([
    "detections.flux",
    "detections.jd",
    "forced.flux",
    "forced.jd",
    "match.gaia.parallax",
  ]);
});

test("what is no model is told once and harms no other", async () => {
  await writeTiny(folder, "good", "sum");
  await writeTiny(folder, "forged", "sum", { sha256: "0".repeat(64) });
  await mkdir(join(folder, "empty"));
  await mkdir(join(folder, "broken"));
  await writeFile(join(folder, "broken", "manifest.yaml"), "name: [");
  await open();
  await registry.refresh();
  expect(states()).toEqual(["good 1 active"]);
  expect(lines).toHaveLength(2);
  expect(lines.join("\n")).toMatch(/broken is no model: its manifest does not parse/);
  expect(lines.join("\n")).toMatch(/forged-1 is no model: the SHA-256 of model.onnx is [0-9a-f]{64}/);
});

test("a model with weights in other files is refused: its checksum does not cover them", async () => {
  const path = await writeTiny(folder, "outside", "outside");
  await expect(readModel(path)).rejects.toMatchObject({
    code: "BAD_MODEL",
    message: expect.stringMatching(/weights of model.onnx lie in other files/),
  });
});

test.each([
  ["a name that is no operand", { name: "rb.v2" }, /manifest's name: a letter, then/],
  ["no licence", { licence: "" }, /manifest's licence/],
  ["an output twice", { outputs: [{ tensor: "y", names: ["y", "y"] }] }, /manifest's outputs: y is there twice/],
  ["a class of nothing", { class: { of: ["z"], threshold: 1 } }, /manifest's class.of: z is no output/],
  ["an unknown input", { inputs: [{ tensor: "x", kind: "spectrum" }] as never }, /manifest's inputs.0.kind/],
])("a manifest with %s is refused with the place", async (_, told, why) => {
  const path = await writeTiny(folder, "one", "sum", told);
  await expect(readModel(path)).rejects.toMatchObject({ code: "BAD_MODEL", message: expect.stringMatching(why) });
});
