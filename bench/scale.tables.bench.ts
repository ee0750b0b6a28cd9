// How many bytes an alert takes in each table, compressed and merged: one archive for each survey, filled by the pipeline.
// Run by bench/main: `npm run bench -- tables`.
import type { Survey } from "../domain/survey.js";
import { container, packetMaker, simulate } from "../ingest/simulator/write.js";
import { numbers, strings } from "../stores/archive/blocks.js";
import { startBenchedService } from "./engine.js";
import type { BenchResult } from "./harness.js";
import { createFilters } from "./soak.filters.js";

const [NIGHTS, END_JD, IN_CONTAINER] = [30, 2_461_000.5, 500];

interface TableSize {
  readonly survey: Survey;
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly plain: number;
}

export async function run(smoke: boolean, options: Readonly<Record<string, string>> = {}): Promise<BenchResult> {
  const alerts = Number(options.alerts ?? (smoke ? 60 : 10_000));
  const sizes: TableSize[] = [];
  const packetBytes: Record<Survey, number> = {};
  for (const survey of ["ZTF", "LSST"]) {
    const packet = packetMaker("tables");
    const sky = simulate({ seed: "tables", nights: NIGHTS, endJd: END_JD, alerts: new Map([[survey, alerts]]) });
    const benched = await startBenchedService(async () => {});
    try {
      await createFilters(benched.service.url, 20, 5);
      let bytes = 0;
      for (let at = 0; at < sky.length; at += IN_CONTAINER) {
        const packets = sky.slice(at, at + IN_CONTAINER).map(packet);
        bytes += packets.reduce((sum, { body }) => sum + body.length, 0);
        await benched.service.control!.ingestContainer(container(survey, packets), "tables");
      }
      packetBytes[survey] = bytes / alerts;
      sizes.push(...(await sizesOf(survey, benched.archive.client)));
    } finally {
      await benched.close();
    }
  }
  return {
    name: "tables",
    sizes: { alerts, nights: NIGHTS },
    rows: sizes.map(({ survey, table, rows, bytes, plain }) => ({
      survey,
      table,
      "rows an alert": rows / alerts,
      "bytes an alert": bytes / alerts,
      "plain / compressed": plain / bytes,
    })),
    ratios: {},
    goals: [],
    figures: {
      packetBytes,
      bytesPerAlert: Object.fromEntries(
        Object.keys(packetBytes).map((survey) => [
          survey,
          sizes.filter((size) => size.survey === survey).reduce((sum, { bytes }) => sum + bytes, 0) / alerts,
        ]),
      ),
    },
  };
}

type Client = Awaited<ReturnType<typeof startBenchedService>>["archive"]["client"];

/** Every table as one merged part, as its partitions are in the end. */
async function sizesOf(survey: Survey, client: Client): Promise<TableSize[]> {
  const names = strings(
    await client.query(
      "SELECT DISTINCT table FROM system.parts WHERE active AND database = currentDatabase() ORDER BY table",
    ),
    "table",
  );
  for (const name of names) await client.command(`OPTIMIZE TABLE \`${name}\` FINAL`);
  const told = await client.query(
    `SELECT table, toFloat64(sum(rows)) AS r, toFloat64(sum(bytes_on_disk)) AS b, toFloat64(sum(data_uncompressed_bytes)) AS p
    FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table ORDER BY b DESC`,
  );
  const [rows, bytes, plain] = [numbers(told, "r"), numbers(told, "b"), numbers(told, "p")];
  return strings(told, "table").map((table, n) => {
    return { survey, table, rows: rows[n]!, bytes: bytes[n]!, plain: plain[n]! };
  });
}
