// Models as exporters write them: with a batch of one, of 64-bit floats, with maps beside their tensors. Their scores are those
// of onnxruntime in Python.
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { testBatch, testSurvey } from "../../test/batches.js";
import { python, pythonHas } from "../../test/python.js";
import { scoresEnrichment } from "../enrich/scores.js";
import { writeTiny } from "./models.fixture.js";
import { createModelRegistry, type ModelRegistry } from "./registry.js";
import { createScorer, type Scorer } from "./scorer.js";

const SURVEY = testSurvey("ZTF");
let folder: string;
let registry: ModelRegistry;
let scorer: Scorer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-models-"));
  scorer = createScorer({ modelMs: 5_000 });
  registry = await createModelRegistry({ folders: [folder], log: (line) => expect.fail(line) });
});
afterEach(async () => {
  registry.close();
  scorer.close();
  await rm(folder, { recursive: true, force: true });
});

/** [magnitude, snr] of each alert; what is missing is null. */
async function scored(rows: readonly (readonly [number | null, number])[]) {
  await registry.refresh();
  const step = scoresEnrichment({ registry, scorer, provider: "cpu", log: () => {} });
  const alerts = rows.map(([magnitude, snr], n) => ({
    ...{ candid: BigInt(n + 1), objectId: `o${n}`, jd: 2460000.5 + n, ra: 10, dec: 20, own: { magnitude, snr } },
  }));
  const { alerts: block, annexes } = await step.run(testBatch(SURVEY, alerts));
  const column = (from: typeof block, name: string) => {
    const { values, nulls } = from.columns.get(name)!;
    return Array.from(values as ArrayLike<unknown>, (value, row) => (nulls?.[row] ? null : value));
  };
  const annex = (model: string) => annexes!.find(({ rows }) => rows.columns.get("model")!.values[0] === model)!.rows;
  return {
    values: (name: string) => column(block, name),
    reasons: (model: string) => column(annex(model), "reason"),
    hashes: (model: string) => column(annex(model), "inputHash"),
  };
}

const ROWS = [
  [18.5, 7.25],
  [null, 3],
  [-2, 1],
  [20, 0.5],
] as const;

test("a model with a batch of one sees alert by alert what others see together", async () => {
  await writeTiny(folder, "together", "sum");
  await writeTiny(folder, "alone", "one");
  await writeTiny(folder, "squeezed", "oneSqueezed", { outputs: [{ tensor: "y", names: ["p", "q"] }] });
  const { values, reasons, hashes } = await scored(ROWS);
  expect(values("score.alone.y")).toEqual([25.75, null, -1, 20.5]);
  expect(values("score.squeezed.p")).toEqual([18.5, null, -2, 20]);
  expect(values("score.squeezed.q")).toEqual([7.25, null, 1, 0.5]);
  expect(reasons("alone")).toEqual([null, "an input is missing", null, null]);
  expect(hashes("alone")).toEqual(hashes("together"));
});

test("a model of 64-bit floats is given and gives the same", async () => {
  await writeTiny(folder, "double", "double");
  expect((await scored(ROWS)).values("score.double.y")).toEqual([25.75, null, -1, 20.5]);
});

test("a map beside a tensor harms nobody who reads the tensor; the map itself is refused with what to do", async () => {
  await writeTiny(folder, "beside", "zipMap");
  await writeTiny(folder, "map", "zipMap", { outputs: [{ tensor: "p", names: ["a", "b"] }] });
  const { values, reasons } = await scored(ROWS);
  expect(values("score.beside.y")).toEqual([25.75, null, -1, 20.5]);
  expect(reasons("map")[0]).toBe(
    "its output p is no tensor but a map of each alert: write the model with options={'zipmap': False} (skl2onnx)",
  );
});

test("what cannot be given is refused with what to do", async () => {
  await writeTiny(folder, "four", "four");
  await writeTiny(folder, "whole", "whole");
  await writeTiny(folder, "misnamed", "sum", {
    inputs: [{ tensor: "z", kind: "values", columns: ["magnitude", "snr"], missing: 0 }],
  });
  await writeTiny(folder, "three", "sum", {
    inputs: [{ tensor: "x", kind: "values", columns: ["magnitude", "snr", "ra"], missing: 0 }],
  });
  const { reasons } = await scored(ROWS);
  expect(reasons("four")[0]).toBe(
    "its input x takes batches of 4 only: export it with a dynamic batch axis, or with a batch of 1",
  );
  expect(reasons("whole")[0]).toBe("its input x wants int64: let the model cast it from float");
  expect(reasons("misnamed")[0]).toBe("it has no input z");
  expect(reasons("three")[0]).toBe("its input x has the shape [N, 2], not [N, 3]");
});

const MODULES = ["numpy", "onnx", "onnxruntime", "sklearn", "skl2onnx"];

/** A forest of 64-bit floats, a regression with a batch of one, and one whose probabilities are maps. */
const SCIKIT = `
import base64, numpy as np, onnxruntime
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
rng = np.random.default_rng(1)
X = rng.normal(size=(400, 2)) * 5 + [18, 10]
y = (X[:, 0] + X[:, 1] > 28).astype(int) + (X[:, 0] > 20)
forest = RandomForestClassifier(20, random_state=1).fit(X, y)
line = LogisticRegression().fit(X, y)
models = {
    "forest": to_onnx(forest, X[:1], options={"zipmap": False}),
    "one": to_onnx(line, initial_types=[("X", FloatTensorType([1, 2]))], options={"zipmap": False}),
    "maps": to_onnx(line, X[:1].astype("f4")),
}
given = np.array(input, "f4")
def scores(name):
    session = onnxruntime.InferenceSession(models[name].SerializeToString(), providers=["CPUExecutionProvider"])
    told = session.get_inputs()[0]
    x = given.astype("f8" if "double" in told.type else "f4")
    rows = [x[n:n + 1] for n in range(len(x))] if told.shape[0] == 1 else [x]
    wanted = "output_label" if name == "maps" else "probabilities"
    return np.concatenate([session.run([wanted], {told.name: some})[0] for some in rows]).astype("f8").tolist()
print(json.dumps({name: {"model": base64.b64encode(model.SerializeToString()).decode(), "scores": scores(name)}
    for name, model in models.items()}))
`;

describe.skipIf(!pythonHas(...MODULES))("against onnxruntime in Python", () => {
  test("models of scikit-learn give the same scores", async () => {
    const rows = Array.from({ length: 60 }, (_, n) => [14 + 0.17 * n, 1 + ((n * 37) % 23)] as const);
    const truth = python<Record<string, { model: string; scores: (number | number[])[] }>>(SCIKIT, rows);
    for (const [name, { model }] of Object.entries(truth)) {
      const bytes = Buffer.from(model, "base64");
      const path = await writeTiny(folder, name, "sum", {
        sha256: createHash("sha256").update(bytes).digest("hex"),
        inputs: [{ tensor: "X", kind: "values", columns: ["magnitude", "snr"], missing: "skip" }],
        outputs: [
          name === "maps"
            ? { tensor: "output_label", names: ["label"] }
            : { tensor: "probabilities", names: ["a", "b", "c"] },
        ],
      });
      await writeFile(join(path, "model.onnx"), bytes);
    }
    const { values } = await scored(rows);
    expect(values("score.maps.label")).toEqual(truth.maps!.scores);
    expect(new Set(truth.maps!.scores).size).toBe(3);
    for (const name of ["forest", "one"]) {
      const own = ["a", "b", "c"].map((output) => values(`score.${name}.${output}`) as number[]);
      for (const [row, expected] of truth[name]!.scores.entries()) {
        for (const [k, score] of (expected as number[]).entries()) expect(own[k]![row]).toBeCloseTo(score, 6);
      }
    }
  });
});
