// Packet bytes to columns: ours against Python's fastavro and against avsc with a cached type, on the same real packets in
// turn. Run by bench/main.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Packet } from "../domain/packet.js";
import { avscType } from "../ingest/avro/avsc.fixture.js";
import { type GeneratedReader, Tables } from "../ingest/avro/columnar.js";
import { readContainer } from "../ingest/avro/container.js";
import { compileReader } from "../ingest/avro/generate.js";
import { parseSchema } from "../ingest/avro/schema.js";
import { decode } from "../ingest/decode.js";
import { surveyModule } from "../ingest/surveys/index.js";
import { type BenchResult, ratios, spread, type Timing, timed } from "./harness.js";

const SHARED = process.env.TOCSIN_SHARED ?? "../shared";
/** As in intake: whole batches are decoded. */
const BATCH = 1_008;

/** Reads the files named by its arguments N times from memory and prints its own wall and CPU seconds. */
const FASTAVRO = `
import fastavro, io, json, sys, time
files = [open(p, 'rb').read() for p in sys.argv[2:]]
wall, cpu, n = time.perf_counter(), time.process_time(), 0
for _ in range(int(sys.argv[1])):
    for f in files:
        for record in fastavro.reader(io.BytesIO(f)): n += 1
print(json.dumps({'wallSeconds': time.perf_counter() - wall, 'cpuSeconds': time.process_time() - cpu, 'alerts': n}))`;

type Measured = Timing & { readonly alerts: number };

export async function run(smoke: boolean): Promise<BenchResult> {
  const rounds = smoke ? 1 : 7;
  const files = packetFiles();
  const packets = files.flatMap((path) => [...readContainer(readFileSync(path), path)]) as Packet[];
  const batch = Array.from({ length: BATCH }, (_, i) => packets[i % packets.length]!);
  const { layout } = surveyModule("ZTF");
  const schemas = new Map(packets.map(({ schema }) => [schema.text, parseSchema(schema.text)]));
  const readers = new Map([...schemas].map(([text, schema]) => [text, compileReader(schema, layout)]));
  const types = new Map([...schemas.keys()].map((text) => [text, avscType(text)]));
  const python = await pythonWithFastavro();

  const sides: Record<string, () => Promise<Measured>> = {
    decode: () => repeat(smoke ? 1 : 20, batch, decode),
    columns: () => repeat(smoke ? 1 : 20, batch, (list) => columns(list, layout, readers)),
    avsc: () =>
      repeat(smoke ? 1 : 5, batch, (list) => {
        for (const { bytes, schema } of list) types.get(schema.text)!.fromBuffer(bytes as Buffer);
      }),
  };
  if (python !== null) sides.fastavro = () => fastavro(python, smoke ? 1 : 20, files);

  // Before all else: code that nothing has run yet.
  const cold = await repeat(5, batch, decode);
  const measured: Record<string, Measured[]> = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [side, measure] of Object.entries(sides)) measured[side]!.push(await measure());
  }
  const perCpu = (side: string) => measured[side]!.map(({ alerts, cpuSeconds }) => alerts / cpuSeconds);
  const row = (side: string, what: string, list: readonly Measured[]) => ({
    side,
    what,
    alertsPerSecond: spread(list.map(({ alerts, wallSeconds }) => alerts / wallSeconds)).median,
    alertsPerCpuSecond: spread(list.map(({ alerts, cpuSeconds }) => alerts / cpuSeconds)).median,
  });
  const compared = (side: string) =>
    Object.fromEntries(
      ["decode", "columns"].map((ours) => [`${ours} / ${side}, per CPU-second`, ratios(perCpu(ours), perCpu(side))]),
    );
  const over = { avsc: compared("avsc"), ...(python === null ? {} : { fastavro: compared("fastavro") }) };
  const goal = (side: string, times: number, list: Record<string, ReturnType<typeof spread>>) => ({
    text: `columns at least ${times}x ${side}`,
    reached: `${list[`columns / ${side}, per CPU-second`]!.median.toFixed(1)}x`,
    met: list[`columns / ${side}, per CPU-second`]!.median >= times,
  });
  return {
    name: "decode",
    sizes: { packets: packets.length, batch: BATCH, rounds },
    rows: [
      row("ours, cold", "the first 5 batches of the process, as decode", [cold]),
      row("ours, decode", "all stored columns, common fields, photometry, sky positions", measured.decode!),
      row("ours, columns", "all stored columns and history points; cutouts stay where they are", measured.columns!),
      row("avsc", "records as objects, type cached, long as bigint, cutouts as views", measured.avsc!),
      ...(python === null ? [] : [row("fastavro", "records as objects", measured.fastavro!)]),
    ],
    ratios: { ...over.avsc, ...over.fastavro },
    goals: [goal("avsc", 4, over.avsc), ...(over.fastavro ? [goal("fastavro", 50, over.fastavro)] : [])],
  };
}

const packetFiles = (): string[] =>
  readdirSync(join(SHARED, "data/ztf"), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.name.endsWith(".avro"))
    .map((entry) => join(entry.parentPath, entry.name));

async function repeat(times: number, batch: Packet[], work: (batch: Packet[]) => unknown): Promise<Measured> {
  const timing = await timed(() => {
    for (let i = 0; i < times; i += 1) work(batch);
  });
  return { ...timing, alerts: times * batch.length };
}

function columns(
  batch: readonly Packet[],
  layout: ConstructorParameters<typeof Tables>[0],
  readers: ReadonlyMap<string, GeneratedReader>,
): void {
  const tables = new Tables(layout, batch.length);
  for (const { bytes, schema } of batch) {
    const fault = tables.append(readers.get(schema.text)!, bytes);
    if (fault !== null) throw new Error(fault);
  }
  tables.finish();
}

/** The interpreter, or null: then the comparison is left out. */
async function pythonWithFastavro(): Promise<string | null> {
  const interpreter = process.env.TOCSIN_PYTHON ?? "python3";
  const found = await promisify(execFile)(interpreter, ["-c", "import fastavro"]).catch(() => null);
  if (found === null) process.stderr.write("fastavro is missing (set TOCSIN_PYTHON): left out\n");
  return found === null ? null : interpreter;
}

async function fastavro(python: string, times: number, files: readonly string[]): Promise<Measured> {
  const { stdout } = await promisify(execFile)(python, ["-c", FASTAVRO, String(times), ...files]);
  return JSON.parse(stdout) as Measured;
}
