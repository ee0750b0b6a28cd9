// The write of a batch: one insert per table, in parallel, straight from the batch's columns. Called by alerts.ts.
import type { AlertBatch } from "../../domain/alert.js";
import type { Block, Column } from "../../domain/columns.js";
import type { Survey } from "../../domain/survey.js";
import type { PacketLocation } from "../packets.store.js";
import type { AlertTable } from "./alerts.table.js";
import { blockOf, chosen, column, counts, repeated, signed, texts, unsigned } from "./blocks.js";
import type { ArchiveClient, InsertOptions } from "./client.js";
import { annexTable } from "./features.table.js";
import { plain } from "./photometry.table.js";
import { tellingsOf } from "./photometry.tellings.js";
import { precedence } from "./precedence.js";

/** What an insert of tellings carries of their tellers, and what is kept of it. */
const TELLERS = ["firstJd", "firstCandid", "lastJd", "lastCandid"];
const TOLD = {
  unstored: TELLERS,
  computed: { firstTold: precedence("firstJd", "firstCandid"), lastTold: precedence("lastJd", "lastCandid") },
};

/** Resolves when every table has its rows. Each row is idempotent by its key, so a failed write is written again whole. */
export async function writeBatch(
  client: ArchiveClient,
  table: AlertTable,
  batchId: bigint,
  batch: AlertBatch,
  contentHashes: BigUint64Array,
  packets: readonly PacketLocation[],
): Promise<void> {
  const { alerts, survey } = batch;
  const rows = alerts.rows;
  const surveys = repeated(rows, survey);
  const batches = unsigned(new BigUint64Array(rows).fill(batchId));
  const points = tellingsOf(batch.photometry, batch.toldBy, table.points.fixed);
  const pointColumns = ["valuesHash", ...TELLERS, ...table.points.columns].filter((name) => points.columns.has(name));

  const inserts: readonly (readonly [string, Block, InsertOptions?])[] = [
    [table.name, { rows, columns: tableColumns(alerts, table).set("batch", batches) }],
    [
      "alert_index",
      blockOf(rows, {
        ...chosen(alerts, ["candid", "objectId", "jd", "programid"]),
        survey: surveys,
        batch: batches,
        contentHash: unsigned(contentHashes),
        segment: counts(Uint32Array.from(packets, ({ segment }) => segment)),
        offset: unsigned(BigUint64Array.from(packets, ({ offset }) => BigInt(offset))),
        length: counts(Uint32Array.from(packets, ({ length }) => length)),
        schema: texts(packets.map(({ schema }) => schema)),
        emittedAt: moments(batch.packets.map(({ emittedAt }) => emittedAt)),
        receivedAt: moments(batch.packets.map(({ receivedAt }) => receivedAt)),
      }),
    ],
    [
      "object_alerts",
      blockOf(rows, {
        ...chosen(alerts, ["objectId", "jd", "candid", "programid", "ra", "dec"]),
        survey: surveys,
      }),
    ],
    [
      "positions",
      blockOf(rows, {
        ...chosen(alerts, ["healpix", "objectId", "programid", "jd", "candid", "ra", "dec"]),
        survey: surveys,
      }),
    ],
    [
      "tellings",
      blockOf(points.rows, { ...plainPoints(points, pointColumns), survey: repeated(points.rows, survey) }),
      TOLD,
    ],
    ...(batch.annexes ?? []).map(
      (annex) => [annexTable(annex.table, survey), annexed(annex.rows, survey, batchId)] as const,
    ),
  ];
  // All have ended before a failure is told: a retry never runs beside its own first try.
  const done = await Promise.allSettled(inserts.map(([name, block, options]) => client.insert(name, block, options)));
  for (const insert of done) if (insert.status === "rejected") throw insert.reason;
}

const plainPoints = (points: Block, names: readonly string[]): Record<string, Column> =>
  Object.fromEntries(names.map((name) => [name, plain(column(points, name))]));

/** Rows of an annex as its table has them. */
export function annexed(block: Block, survey: Survey, batchId: bigint): Block {
  const columns = new Map(block.columns)
    .set("survey", repeated(block.rows, survey))
    .set("batch", unsigned(new BigUint64Array(block.rows).fill(batchId)));
  return { ...block, columns };
}

/** Epoch milliseconds, 0 where there are none. */
const moments = (values: readonly (number | undefined)[]): Column =>
  signed(BigInt64Array.from(values, (ms) => BigInt(ms ?? 0)));

function tableColumns(alerts: Block, table: AlertTable): Map<string, Column> {
  return new Map([...alerts.columns].filter(([name]) => table.columns.has(name)));
}
