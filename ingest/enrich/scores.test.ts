// The step with real models in a real process: their scores, and models that fail in every way.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TestAlert, testBatch, testSurvey } from "../../test/batches.js";
import { writeTiny } from "../classifiers/models.fixture.js";
import { createModelRegistry, type ModelRegistry } from "../classifiers/registry.js";
import { createScorer, type Scorer } from "../classifiers/scorer.js";
import { scoresEnrichment } from "./scores.js";

const SURVEY = testSurvey("ZTF");
let folder: string;
let registry: ModelRegistry;
let scorer: Scorer;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-models-"));
  scorer = createScorer({ modelMs: 1_500 });
  lines = [];
  registry = await createModelRegistry({ folders: [folder], log: (line) => lines.push(line) });
});
afterEach(async () => {
  registry.close();
  scorer.close();
  await rm(folder, { recursive: true, force: true });
});

const alert = (n: number, own: TestAlert["own"]): TestAlert => {
  return { candid: BigInt(n), objectId: `o${n}`, jd: 2460000.5 + n, ra: 10, dec: 20, own: own! };
};
const alerts = [
  alert(1, { magnitude: 18.5, snr: 7.25 }),
  alert(2, { magnitude: -2, snr: 1 }),
  alert(3, { magnitude: null, snr: 3 }),
];

async function scored() {
  await registry.refresh();
  const step = scoresEnrichment({ registry, scorer, provider: "cpu", log: (line) => lines.push(line) });
  const batch = await step.run(testBatch(SURVEY, alerts));
  return {
    values(name: string) {
      const column = batch.alerts.columns.get(name);
      return column && Array.from(column.values as ArrayLike<unknown>, (v, row) => (column.nulls![row] ? null : v));
    },
    /** By model: each row's reason. */
    reasons: Object.fromEntries(
      (batch.annexes ?? []).map(({ table, rows }) => {
        expect(table).toBe("scores");
        const model = rows.columns.get("model")!.values[0] as string;
        const { values, nulls } = rows.columns.get("reason")!;
        return [model, Array.from(values as readonly string[], (text, row) => (nulls![row] ? null : text))];
      }),
    ),
    batch,
  };
}

test("values of active models are columns, and a missing input is said", async () => {
  await writeTiny(folder, "adds", "sum");
  const { values, reasons, batch } = await scored();
  expect(values("score.adds.y")).toEqual([25.75, -1, null]);
  expect(reasons).toEqual({ adds: [null, null, "an input is missing"] });
  const [annex] = batch.annexes!;
  expect(Array.from(annex!.rows.lists!.get("values")!.ends)).toEqual([1, 2, 2]);
  const hashes = annex!.rows.columns.get("inputHash")!.values as BigUint64Array;
  // SHA-256 of float32(18.5), float32(7.25), little-endian; its first eight bytes.
  expect(hashes[0]).toBe(HASH_OF_FIRST);
  expect(hashes[2]).toBe(0n);
});

/** hashlib.sha256(struct.pack("<2f", 18.5, 7.25)).digest()[:8], as a little-endian integer. */
const HASH_OF_FIRST = 7942328644219068986n;

test("how long a model takes is kept", async () => {
  await writeTiny(folder, "adds", "sum");
  await scored();
  const [seconds] = registry.paces().values();
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(1.5);
});

test("a missing input may have a value instead, and text a code", async () => {
  const inputs = [
    { tensor: "x", kind: "values" as const, columns: ["magnitude", "band"], codes: { band: { r: 100 } }, missing: -1 },
  ];
  await writeTiny(folder, "codes", "sum", { inputs });
  expect((await scored()).values("score.codes.y")).toEqual([118.5, 98, 99]);
});

test("a class is the largest output that reaches the threshold", async () => {
  await writeTiny(folder, "classes", "sum", { class: { of: ["y"], threshold: 20 } });
  expect((await scored()).values("class.classes")).toEqual(["y", null, null]);
});

test("what a shadow says is kept and is no column", async () => {
  await writeTiny(folder, "watched", "sum", { state: "shadow" });
  const { values, batch } = await scored();
  expect(values("score.watched.y")).toBeUndefined();
  expect(batch.annexes![0]!.rows.columns.get("shadow")!.values[0]).toBe(1);
});

test("models that fail leave their values missing, and the others say theirs", async () => {
  await writeTiny(folder, "adds", "sum");
  await writeTiny(folder, "nan", "logOfFirst");
  await writeTiny(folder, "bad", "throws");
  await writeTiny(folder, "slow", "endless");
  await writeTiny(folder, "lost", "sum", {
    inputs: [{ tensor: "x", kind: "values", columns: ["feature.g.peakMag", "snr"], missing: 0 }],
  });
  await writeTiny(folder, "misnamed", "sum", { outputs: [{ tensor: "z", names: ["y"] }] });
  const { values, reasons } = await scored();
  expect(values("score.adds.y")).toEqual([25.75, -1, null]);
  expect(values("score.nan.y")).toEqual([Math.fround(Math.log(18.5)), null, null]);
  expect(reasons.nan).toEqual([null, "the model's answer is no finite number", "an input is missing"]);
  expect(values("score.slow.y")).toEqual([null, null, null]);
  expect(reasons.slow![0]).toBe("it took more than 1.5 s");
  expect(reasons.bad![0]).toMatch(/reshape/i);
  expect(reasons.lost![0]).toBe("the alerts have no feature.g.peakMag");
  expect(reasons.misnamed![0]).toBe("it has no output z");
  expect(lines.filter((line) => line.includes("slow 1"))).toHaveLength(1);
});

test("answers of another shape or of another kind of number are refused, not read as something else", async () => {
  const outputs = [{ tensor: "y", names: ["p", "q"] }];
  await writeTiny(folder, "turned", "turned", { outputs });
  await writeTiny(folder, "half", "half", { outputs });
  const inputs = [{ tensor: "x", kind: "values" as const, columns: ["magnitude", "snr"], missing: 0 }];
  await writeTiny(folder, "three", "turned", { outputs, inputs });
  const { reasons } = await scored();
  // Two alerts and two names: the shape of this answer alone does not tell.
  expect(reasons.turned![0]).toMatch(/output y has the shape \[2, N\], not \[N, 2\]/);
  expect(reasons.three![0]).toMatch(/has the shape/);
  expect(reasons.half![0]).toMatch(/output y holds float16/);
});

test("a model that could not be loaded is loaded when its file is there", async () => {
  const path = await writeTiny(folder, "late", "sum");
  const model = await readFile(join(path, "model.onnx"));
  await registry.refresh();
  await rm(join(path, "model.onnx"));
  const step = scoresEnrichment({ registry, scorer, provider: "cpu", log: (line) => lines.push(line) });
  const reason = async () => {
    const { annexes } = await step.run(testBatch(SURVEY, alerts));
    const { values, nulls } = annexes![0]!.rows.columns.get("reason")!;
    return nulls![0] ? null : values[0];
  };
  expect(await reason()).toMatch(/failed/);
  await writeFile(join(path, "model.onnx"), model);
  expect(await reason()).toBeNull();
});

test("a model that fails three times in a row runs no more until its state is set", async () => {
  await writeTiny(folder, "bad", "throws");
  for (let n = 0; n < 4; n += 1) await scored();
  expect(registry.list()[0]!.suspended).toMatch(/reshape/i);
  expect(lines.filter((line) => line.includes("runs no more"))).toHaveLength(1);
  expect((await scored()).reasons.bad![0]).toMatch(/^suspended: /);
  expect((await registry.setState("bad", "1", "active")).suspended).toBeNull();
  expect((await scored()).reasons.bad![0]).not.toMatch(/^suspended: /);
});
