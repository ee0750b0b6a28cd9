// A million watched positions against 10,000 alerts: our index in memory, and the whole step with its lists and rows, against
// the same join in ClickHouse. Then what a list costs: memory, and the time to load it. Run by bench/main.
import type { Block } from "../domain/columns.js";
import { nestedPixels } from "../domain/healpix.js";
import type { WatchedPositions } from "../domain/mark.js";
import { createMarks } from "../ingest/enrich/marks.js";
import { Desk } from "../ingest/marks/desk.js";
import { createHeldMarks } from "../ingest/marks/held.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { blockOf, counts, floats, signed, texts, unsigned } from "../stores/archive/blocks.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import { cellsAround } from "../stores/archive/cones.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import { startTestArchive } from "../test/archive.js";
import { type BenchResult, ratios, spread, timed } from "./harness.js";
import { random } from "./random.js";

const OWNER = { scope: "owner", programids: new Map(), mayChange: true };
const PART = 100_000;
const BATCH = 1_000;
/** Of all radii, arcsec. */
const WIDEST = 5;

export async function run(smoke: boolean): Promise<BenchResult> {
  const sizes = smoke
    ? { positions: 20_000, alerts: 1_000, rounds: 2 }
    : { positions: 1_000_000, alerts: 10_000, rounds: 9 };
  const archive = await startTestArchive();
  try {
    const stores = await createArchiveStores(archive.client, []);
    const held = createHeldMarks({ ...stores.marks, log: (line) => process.stderr.write(`${line}\n`) });
    const before = memory();
    const taken = await timed(
      () => new Desk({ stores: stores.marks, held }).putList(OWNER, { name: "all" }, positions(sizes.positions)),
      [archive.pid()!],
    );
    const bytes = memory() - before;
    await fillTable(archive.client, sizes.positions);
    const alerts = alertsOf(sizes.positions, sizes.alerts);
    const inCells = spreadAlerts(alerts);
    const step = createMarks(held);
    const sides = [
      {
        name: "tocsin in memory",
        join: async () => (await held.hold(alerts.jd, alerts.ra, alerts.dec))[0]!.matches!.rows.length,
      },
      { name: "tocsin step, batches of 1,000", join: () => whole(step, alerts) },
      { name: "ClickHouse join", join: () => joined(archive.client, inCells) },
    ].map((side) => ({ ...side, times: [] as number[], cpu: [] as number[], found: 0 }));
    for (const side of sides) await side.join();
    for (let round = 0; round < sizes.rounds; round++) {
      for (const side of sides) {
        const { value, wallSeconds, cpuSeconds } = await timed(side.join, [archive.pid()!]);
        side.times.push(wallSeconds * 1000);
        side.cpu.push(cpuSeconds * 1000);
        side.found = value;
      }
    }
    held.close();
    const [index, ours, theirs] = sides.map(({ times }) => times);
    const against = {
      "in memory / ClickHouse join": ratios(index!, theirs!),
      "step / ClickHouse join": ratios(ours!, theirs!),
    };
    const found = new Set(sides.map((side) => side.found));
    return {
      name: "watch",
      sizes,
      rows: sides.map(({ name, times, cpu, found: matches }) => {
        const { median, min, max } = spread(times);
        return { side: name, "median ms": median, "min ms": min, "max ms": max, "CPU ms": spread(cpu).median, matches };
      }),
      ratios: against,
      figures: {
        listMiB: bytes / 1024 ** 2,
        uploadSeconds: taken.wallSeconds,
        uploadCpuSeconds: taken.cpuSeconds,
      },
      goals: [
        {
          text: "at most 1/3 of ClickHouse's join",
          reached: against["in memory / ClickHouse join"].median.toFixed(3),
          met: against["in memory / ClickHouse join"].median <= 1 / 3,
        },
        {
          text: "every side finds the same number of matches",
          reached: [...found].join(" or "),
          met: found.size === 1,
        },
        {
          text: "a list takes at most 200 bytes a position",
          reached: `${(bytes / sizes.positions).toFixed(0)}`,
          met: smoke || bytes / sizes.positions <= 200,
        },
      ],
    };
  } finally {
    await archive.stop();
  }
}

/** Of this process, after a collection where node runs with --expose-gc. */
function memory(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Even over the sky, radii of 1 to 5 arcsec. */
async function* positions(count: number): AsyncGenerator<WatchedPositions> {
  const next = random(11);
  for (let from = 0; from < count; from += PART) {
    const rows = Math.min(PART, count - from);
    const ra = new Float64Array(rows);
    const dec = new Float64Array(rows);
    const radiusArcsec = new Float32Array(rows);
    for (let n = 0; n < rows; n++) {
      ra[n] = 360 * next();
      dec[n] = (Math.asin(2 * next() - 1) * 180) / Math.PI;
      radiusArcsec[n] = 1 + 4 * next();
    }
    yield { names: Array.from(ra, (_, n) => `source ${from + n}`), ra, dec, radiusArcsec };
  }
}

interface Alerts {
  readonly jd: Float64Array;
  readonly ra: Float64Array;
  readonly dec: Float64Array;
}

/** All over the sky; every tenth near a watched position. */
function alertsOf(watched: number, count: number): Alerts {
  const same = random(11);
  const next = random(12);
  const near = Math.ceil(count / 10);
  const ra = new Float64Array(count);
  const dec = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    ra[n] = 360 * next();
    dec[n] = (Math.asin(2 * next() - 1) * 180) / Math.PI;
    if (n % 10 !== 0 || n / 10 >= Math.min(near, watched)) continue;
    ra[n] = 360 * same();
    dec[n] = Math.max(-90, (Math.asin(2 * same() - 1) * 180) / Math.PI - (3 * next()) / 3600);
    same();
  }
  return { jd: new Float64Array(count).fill(2_460_000.5), ra, dec };
}

async function whole(step: ReturnType<typeof createMarks>, { jd, ra, dec }: Alerts): Promise<number> {
  const survey = SURVEYS[0]!.description.id;
  let matches = 0;
  for (let from = 0; from < ra.length; from += BATCH) {
    const rows = Math.min(BATCH, ra.length - from);
    const alerts = blockOf(rows, {
      objectId: texts(Array.from({ length: rows }, (_, n) => `ZTF${from + n}`)),
      candid: signed(new BigInt64Array(rows)),
      jd: floats(jd.slice(from, from + rows)),
      ra: floats(ra.slice(from, from + rows)),
      dec: floats(dec.slice(from, from + rows)),
    });
    const bare = { survey, alerts, photometry: blockOf(0, {}), toldBy: new Uint32Array(0), packets: [] };
    const batch = await step.run(bare);
    matches += batch.alerts.lists!.get("watch.all.name")!.items.values.length;
  }
  return matches;
}

/** As a watch list would lie in ClickHouse to be joined: by cell. */
async function fillTable(client: ArchiveClient, count: number): Promise<void> {
  await client.command(
    "CREATE TABLE watched (cell UInt64, name String, ra Float64, dec Float64, radius Float64) ENGINE = MergeTree ORDER BY cell",
  );
  for await (const { names, ra, dec, radiusArcsec } of positions(count)) {
    const cell = unsigned(cellsOf(ra, dec));
    const radius = floats(Float64Array.from(radiusArcsec));
    const columns = { cell, name: texts(names), ra: floats(ra), dec: floats(dec), radius };
    await client.insert("watched", blockOf(ra.length, columns));
  }
  await client.command("OPTIMIZE TABLE watched FINAL");
}

const CELL_BITS = 26n;

/** The one that holds each position: a cell of stores/archive/cones.ts is a pixel without its last bits. */
function cellsOf(ra: Float64Array, dec: Float64Array): BigUint64Array {
  const pixels = new BigUint64Array(ra.length);
  nestedPixels(ra, dec, pixels);
  return pixels.map((pixel) => pixel >> CELL_BITS);
}

/** Each alert in every cell in which a position may lie that holds it. */
function spreadAlerts({ ra, dec }: Alerts): Block {
  const rows = Array.from(ra, (_, n) => n).flatMap((n) =>
    cellsAround(ra[n]!, dec[n]!, WIDEST).map((cell) => [cell, n] as const),
  );
  return blockOf(rows.length, {
    n: counts(Uint32Array.from(rows, ([, n]) => n)),
    ra: floats(Float64Array.from(rows, ([, n]) => ra[n]!)),
    dec: floats(Float64Array.from(rows, ([, n]) => dec[n]!)),
    cell: unsigned(BigUint64Array.from(rows, ([cell]) => BigInt(cell))),
  });
}

/** Equal cells, then the exact separation. What is spread over cells is made before the clock runs. */
async function joined(client: ArchiveClient, block: Block): Promise<number> {
  const separation = `degrees(2 * asin(least(1, sqrt(pow(sin(radians(w.dec - a.dec) / 2), 2)
    + cos(radians(a.dec)) * cos(radians(w.dec)) * pow(sin(radians(w.ra - a.ra) / 2), 2))))) * 3600`;
  const answer = await client.query(
    `SELECT a.n AS n, w.name AS name, w.ra AS ra, w.dec AS dec, ${separation} AS separation
    FROM watched AS w INNER JOIN alerts AS a ON w.cell = a.cell WHERE separation <= w.radius`,
    {},
    { external: [{ name: "alerts", block }] },
  );
  return answer.rows;
}
