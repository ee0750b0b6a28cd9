// The process in which models run: a model that crashes or never ends takes nothing else with it. Started by scorer.ts.
import { createHash } from "node:crypto";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { shapeOf } from "./inputs.js";
import { type CutoutsInput, outputNames } from "./manifest.js";
import type { Answer, Job, ModelWork, PreparedInput, Provider, Scored } from "./protocol.js";
import { type FloatType, takingOf } from "./shapes.js";
import { fillRow, readStamps, type Stamps } from "./stamps.js";

/** Rows that a model sees at once: cutouts of 256 alerts are 12 MB. */
const CHUNK = 256;
const MISSING_INPUT = "an input is missing";
const NO_CUTOUTS = "a cutout is missing or unreadable";
const NOT_FINITE = "the model's answer is no finite number";

const sessions = new Map<string, Promise<InferenceSession>>();

/** Sends in order, and not before what was sent has gone. */
const tell = (answer: Answer): Promise<void> =>
  new Promise((resolve) => {
    process.send!(answer, undefined, undefined, () => resolve());
  });

process.on("message", async (job: Job) => {
  const stamps = await stampsOf(job);
  for (const work of job.models) {
    await tell({ kind: "begin", phase: { key: work.key } });
    try {
      await tell({ kind: "scored", key: work.key, scored: await score(job, work, stamps) });
    } catch (error) {
      await tell({ kind: "failed", key: work.key, message: error instanceof Error ? error.message : String(error) });
    }
  }
  await tell({ kind: "end" });
});
process.on("disconnect", () => process.exit());

async function stampsOf({ survey, schemas, packets, models }: Job): Promise<readonly Stamps[]> {
  const wanted = models.flatMap(({ manifest }) => manifest.inputs).filter((input) => input.kind === "cutouts");
  if (wanted.length === 0 || packets.length === 0) return [];
  await tell({ kind: "begin", phase: { cutouts: true } });
  return readStamps(survey, schemas, packets, [...new Set(wanted.flatMap(({ cutouts }) => cutouts))]);
}

async function sessionOf({ file, manifest }: ModelWork, provider: Provider): Promise<InferenceSession> {
  const known = sessions.get(manifest.sha256);
  if (known !== undefined) return known;
  const made = InferenceSession.create(file, {
    executionProviders: provider === "cpu" ? ["cpu"] : [provider, "cpu"],
    // The models are small and the cores have other work; the service's own batches run beside this.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  sessions.set(manifest.sha256, made);
  // What cannot be read now may be there later.
  made.catch(() => sessions.delete(manifest.sha256));
  return made;
}

async function score(job: Job, work: ModelWork, stamps: readonly Stamps[]): Promise<Scored> {
  const session = await sessionOf(work, job.provider);
  const startedAt = performance.now();
  const { oneByOne, types } = takingOf(work.manifest, session);
  const names = outputNames(work.manifest);
  const scored = {
    values: new Float32Array(job.rows * names.length).fill(Number.NaN),
    reasons: new Array<string | null>(job.rows).fill(MISSING_INPUT),
    hashes: new BigUint64Array(job.rows),
    oneByOne,
  };
  const usable = Array.from({ length: job.rows }, (_, row) => row).filter((row) => work.usable[row] === 1);
  // What else the model says, maps of scikit-learn among it, is not read.
  const wanted = work.manifest.outputs.map(({ tensor }) => tensor);
  const step = oneByOne ? 1 : CHUNK;
  for (let at = 0; at < usable.length; at += step) {
    const { rows, tensors } = tensorsOf(work, usable.slice(at, at + step), stamps, scored.reasons);
    if (rows.length === 0) continue;
    hash(rows, tensors, scored.hashes);
    const feeds = tensors.map((input, k) => [input.name, tensorOf(input, types[k]!, rows.length)] as const);
    keep(work, rows, await session.run(Object.fromEntries(feeds), wanted), scored);
  }
  return { ...scored, ms: performance.now() - startedAt };
}

function tensorOf({ values, shape }: Input, type: FloatType, rows: number): Tensor {
  const dims = [rows, ...shape];
  return type === "float32" ? new Tensor(type, values, dims) : new Tensor(type, Float64Array.from(values), dims);
}

interface Input {
  readonly name: string;
  readonly values: Float32Array;
  /** Of one row. */
  readonly shape: readonly number[];
}

/** Of these rows those that have their cutouts; what the others lack is written to `reasons`. */
function tensorsOf(
  { manifest, inputs }: ModelWork,
  rows: readonly number[],
  stamps: readonly Stamps[],
  reasons: (string | null)[],
): { rows: number[]; tensors: Input[] } {
  const images = manifest.inputs.filter((input) => input.kind === "cutouts");
  const complete = rows.filter((row) => {
    const whole = images.every(({ cutouts }) => cutouts.every((kind) => stamps[row]?.get(kind) != null));
    if (!whole) reasons[row] = NO_CUTOUTS;
    return whole;
  });
  const tensors = manifest.inputs.map((told, k): Input => {
    if (told.kind === "cutouts") return imageInput(told, complete, stamps);
    const input = inputs[k] as Extract<PreparedInput, { kind: "tensor" }>;
    const width = input.shape.reduce((product, length) => product * length, 1);
    const values = new Float32Array(complete.length * width);
    for (const [n, row] of complete.entries()) {
      values.set(input.values.subarray(row * width, (row + 1) * width), n * width);
    }
    return { name: told.tensor, values, shape: input.shape };
  });
  return { rows: complete, tensors };
}

function imageInput(input: CutoutsInput, rows: readonly number[], stamps: readonly Stamps[]): Input {
  const shape = shapeOf(input);
  const width = input.cutouts.length * input.size * input.size;
  const values = new Float32Array(rows.length * width);
  for (const [n, row] of rows.entries()) fillRow(input, stamps[row]!, values.subarray(n * width, (n + 1) * width));
  return { name: input.tensor, values, shape };
}

/** Of a row's values, input after input, as little-endian 32-bit floats. */
function hash(rows: readonly number[], tensors: readonly Input[], hashes: BigUint64Array): void {
  for (const [n, row] of rows.entries()) {
    const sum = createHash("sha256");
    for (const { values } of tensors) {
      const width = values.length / rows.length;
      sum.update(new Uint8Array(values.buffer, values.byteOffset + n * width * 4, width * 4));
    }
    hashes[row] = sum.digest().readBigUInt64LE(0);
  }
}

function keep(
  { manifest }: ModelWork,
  rows: readonly number[],
  answer: InferenceSession.OnnxValueMapType,
  { values, reasons }: { values: Float32Array; reasons: (string | null)[] },
): void {
  const all = outputNames(manifest).length;
  let column = 0;
  for (const { tensor, names } of manifest.outputs) {
    const { data, dims } = answer[tensor]!;
    const expected = rows.length * names.length;
    // Of one alert there is no doubt whose they are.
    const isOthers = names.length > 1 && rows.length > 1 && dims[0] !== rows.length;
    if (data.length !== expected || isOthers) {
      throw new Error(`its output ${tensor} has the shape [${dims.join(", ")}] for ${rows.length} alerts`);
    }
    for (const [n, row] of rows.entries()) {
      for (let k = 0; k < names.length; k += 1) {
        values[row * all + column + k] = Number(data[n * names.length + k]);
      }
    }
    column += names.length;
  }
  for (const row of rows) {
    const said = values.subarray(row * all, (row + 1) * all);
    const finite = said.every(Number.isFinite);
    reasons[row] = finite ? null : NOT_FINITE;
    if (!finite) said.fill(Number.NaN);
  }
}
