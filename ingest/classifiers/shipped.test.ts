// The models that come with Tocsin, on packets: their scores are what onnxruntime in Python says, which reads the packets
// by itself (fastavro, astropy) and makes the inputs as docs/classifiers.md tells.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AlertBatch } from "../../domain/alert.js";
import type { Column, ListColumn } from "../../domain/columns.js";
import { python, pythonHas } from "../../test/python.js";
import { decode } from "../decode.js";
import { scoresEnrichment } from "../enrich/scores.js";
import { container, packetMaker, simulate } from "../simulator/write.js";
import { simulatedZtf } from "../surveys/ztf/simulated.js";
import { createModelRegistry, type ModelRegistry } from "./registry.js";
import { createScorer, type Scorer } from "./scorer.js";

const MODELS = resolve(import.meta.dirname, "../../models");
const MODULES = ["numpy", "onnxruntime", "fastavro", "astropy"];
const SEED = "classifiers";

let registry: ModelRegistry;
let scorer: Scorer;
let folder: string;
let batch: AlertBatch;
const file = () => join(folder, "packets.avro");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-shipped-"));
  registry = await createModelRegistry({ folders: [MODELS, folder], log: (line) => expect.fail(line) });
  for (const { name, version } of registry.list()) await registry.setState(name, version, "active");
  scorer = createScorer();
  const sky = simulate({ seed: SEED, nights: 40, endJd: 2461000.5, alerts: new Map([["ZTF", 300]]) });
  const encoded = sky.map(packetMaker(SEED));
  await writeFile(file(), container("ZTF", encoded));
  const packets = encoded.map(({ body }, n) => ({
    bytes: body,
    schema: { fingerprint: "0123456789abcdef", text: simulatedZtf.schema },
    origin: { source: "test", position: String(n) },
  }));
  const decoded = decode(packets).batches[0]!;
  const step = scoresEnrichment({ registry, scorer, provider: "cpu", log: (line) => expect.fail(line) });
  batch = await step.run(withHistory(decoded));
});
afterAll(async () => {
  registry?.close();
  scorer?.close();
  await rm(folder, { recursive: true, force: true });
});

/** What one packet tells, as lists: this test is not about what others told before. */
function withHistory(decoded: AlertBatch): AlertBatch {
  const { alerts, photometry, toldBy } = decoded;
  const kinds = photometry.columns.get("kind")!.values as Uint8Array;
  const jd = photometry.columns.get("jd")!.values as Float64Array;
  const lists = new Map<string, ListColumn>();
  for (const [list, kind] of [
    ["detections", 1],
    ["forced", 3],
  ] as const) {
    const points: number[] = [];
    const ends = new Uint32Array(alerts.rows);
    for (let row = 0; row < alerts.rows; row += 1) {
      const own = [...kinds.keys()].filter((n) => toldBy[n] === row && kinds[n] === kind);
      points.push(...own.sort((a, b) => jd[a]! - jd[b]!));
      ends[row] = points.length;
    }
    for (const name of ["jd", "band", "flux", "fluxError"]) {
      const column = photometry.columns.get(name)!;
      const values = points.map((n) => column.values[n]!);
      const nulls = column.nulls && Uint8Array.from(points, (n) => column.nulls![n]!);
      const items =
        column.type === "String"
          ? { ...column, values, nulls }
          : { ...column, values: Float64Array.from(values as number[]), nulls };
      lists.set(`${list}.${name}`, { ends, items: items as Column });
    }
  }
  return { ...decoded, alerts: { ...alerts, lists } };
}

const said = (name: string) => {
  const { values, nulls } = batch.alerts.columns.get(name)!;
  return Array.from(values as ArrayLike<number | string>, (value, row) => (nulls?.[row] ? null : value));
};
const annexOf = (model: string) =>
  batch.annexes!.find(({ rows }) => rows.columns.get("model")!.values[0] === model)!.rows;

test("every alert has its scores, and they tell the sources apart as far as they can", () => {
  expect(registry.list().map(({ name }) => name)).toEqual(["lightcurveSim", "stampsSim"]);
  expect(said("score.stampsSim.real")).not.toContain(null);
  expect(said("score.lightcurveSim.SNIa")).not.toContain(null);
  const probabilities = ["SNIa", "SNII", "TDE", "variable", "AGN", "flare", "asteroid"].map((name) =>
    said(`score.lightcurveSim.${name}`),
  );
  for (let row = 0; row < batch.alerts.rows; row += 1) {
    expect(probabilities.reduce((sum, values) => sum + (values[row] as number), 0)).toBeCloseTo(1, 4);
  }
});

const READ = `
import hashlib, io, json, numpy as np, onnxruntime, fastavro
from astropy.io import fits
manifest = json.load(open(input["model"] + "/manifest.json"))
session = onnxruntime.InferenceSession(input["model"] + "/model.onnx", providers=["CPUExecutionProvider"])
alerts = list(fastavro.reader(open(input["file"], "rb")))
def answer(x):
    hashes = [str(int.from_bytes(hashlib.sha256(row.astype("<f4").tobytes()).digest()[:8], "little")) for row in x]
    y = session.run(None, {session.get_inputs()[0].name: x})[0]
    print(json.dumps({"candids": [str(a["candid"]) for a in alerts], "scores": y.tolist(), "hashes": hashes}))
`;
const STAMPS = `${READ}
import gzip
def stamp(alert, kind):
    return fits.open(io.BytesIO(gzip.decompress(alert["cutout" + kind]["stampData"])))[0].data
answer(np.stack([np.stack([stamp(a, k) for k in ("Science", "Template", "Difference")]) for a in alerts]).astype("f4"))
`;
/** Fluxes of detections by their magnitudes, of forced points by their zero points: domain/flux.ts, docs/api.md. */
const HISTORY = `${READ}
codes = {1: 1, 2: 2, 3: 3}
def flux(mag): return 10 ** (-0.4 * (mag - 31.4))
def detection(p):
    f = flux(p["magpsf"])
    return p["jd"], codes[p["fid"]], f if p["isdiffpos"] in ("t", "1") else -f, f * p["sigmapsf"] * np.log(10) / 2.5
def forced(p):
    unit = flux(p["magzpsci"])
    return p["jd"], codes[p["fid"]], p["forcediffimflux"] * unit, p["forcediffimfluxunc"] * unit
def sequence(alert):
    points = [detection(p) for p in [alert["candidate"], *(alert["prv_candidates"] or [])] if p["magpsf"] is not None]
    points += [forced(p) for p in alert["fp_hists"] or []]
    points = sorted(points, key=lambda p: p[0])[-64:]
    made = np.zeros((64, 4), "f4")
    for n, (jd, band, f, error) in enumerate(points):
        made[n] = alert["candidate"]["jd"] - jd, band, f, error
    return made
answer(np.stack([sequence(a) for a in alerts]))
`;

interface Answer {
  readonly candids: string[];
  readonly scores: number[][];
  readonly hashes: string[];
}

describe.skipIf(!pythonHas(...MODULES))("against onnxruntime in Python", () => {
  const ask = (script: string, model: string) => python<Answer>(script, { file: file(), model: join(MODELS, model) });
  const candids = () => Array.from(batch.alerts.columns.get("candid")!.values as BigInt64Array, String);

  test("real or bogus from the cutouts: the same scores of the same bytes", () => {
    const truth = ask(STAMPS, "stamps-sim");
    expect(candids()).toEqual(truth.candids);
    const own = said("score.stampsSim.real") as number[];
    for (const [row, [score]] of truth.scores.entries()) expect(own[row]).toBeCloseTo(score!, 5);
    expect(Array.from(annexOf("stampsSim").columns.get("inputHash")!.values as BigUint64Array, String)).toEqual(
      truth.hashes,
    );
  });

  test("kinds from the history: the same scores", () => {
    const truth = ask(HISTORY, "lightcurve-sim");
    const names = ["SNIa", "SNII", "TDE", "variable", "AGN", "flare", "asteroid"];
    const classes = said("class.lightcurveSim");
    const own = names.map((name) => said(`score.lightcurveSim.${name}`) as number[]);
    for (const [row, scores] of truth.scores.entries()) {
      for (const [k, score] of scores.entries()) expect(own[k]![row]).toBeCloseTo(score, 3);
      const best = scores.indexOf(Math.max(...scores));
      if (Math.abs(scores[best]! - 0.5) > 0.01) expect(classes[row]).toBe(scores[best]! > 0.5 ? names[best] : null);
    }
  });
});
