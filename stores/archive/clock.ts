// ClockStore on ClickHouse. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import type { Night } from "../../domain/night.js";
import type { Survey } from "../../domain/survey.js";
import { epochMsFromJd } from "../../domain/time.js";
import type { Viewer } from "../../domain/viewer.js";
import {
  type AlertClock,
  type ClockStore,
  LATENCY_STAGES,
  type LatencyStage,
  type StageLatency,
} from "../clock.store.js";
import { bigints, eachRow, numbers } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { visibleIn } from "./visibility.js";

const LATENCY_TIMEOUT_MS = 20_000;

/** Ends of the stages, in the order of LATENCY_STAGES. Days of 86,400,000 ms since JD 2440587.5. */
const OBSERVED = "toInt64(round((jd - 2440587.5) * 86400000))";
const BEGINS = `[${OBSERVED}, emittedAt, receivedAt, storedAt, filteredAt, receivedAt]`;
const ENDS = "[emittedAt, receivedAt, storedAt, filteredAt, numberedAt, numberedAt]";

export class ArchiveClock implements ClockStore {
  constructor(private readonly client: ArchiveClient) {}

  async clocks(viewer: Viewer, survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, AlertClock>> {
    const visible = visibleIn(viewer, survey);
    if (visible === null || candids.length === 0) return new Map();
    const rows = await this.client.query(
      `SELECT candid, batch, jd, emittedAt, receivedAt FROM alert_index
      WHERE survey = {survey:String} AND candid IN {candids:Array(Int64)} AND ${visible.sql}
      ORDER BY candid, batch LIMIT 1 BY candid, batch`,
      { ...visible.parameters, survey, candids },
    );
    const batches = bigints(rows, "batch");
    const moments = await this.#momentsOf([...new Set(batches as Iterable<bigint>)]);
    const candid = bigints(rows, "candid");
    const jd = numbers(rows, "jd");
    const emitted = momentsIn(rows, "emittedAt");
    const received = momentsIn(rows, "receivedAt");
    const clocks = new Map<bigint, AlertClock>();
    eachRow(rows, (row) => {
      // The first batch that was committed made it an alert; one that never was is no more than a beginning.
      const before = clocks.get(candid[row]!);
      if (before !== undefined && before.storedAt !== null) return;
      clocks.set(candid[row]!, {
        observedAt: epochMsFromJd(jd[row]!),
        emittedAt: emitted(row),
        receivedAt: received(row),
        ...(moments.get(batches[row]!) ?? { storedAt: null, filteredAt: null, deliveredAt: null }),
      });
    });
    return clocks;
  }

  async latency(viewer: Viewer, survey: Survey, night: Night): Promise<StageLatency[]> {
    const visible = visibleIn(viewer, survey);
    if (visible === null) return [];
    const within = `survey = {survey:String} AND jd >= {startJd:Float64} AND jd < {endJd:Float64} AND ${visible.sql}`;
    const parameters = { ...visible.parameters, survey, startJd: night.startJd, endJd: night.endJd };
    const options = { timeoutMs: LATENCY_TIMEOUT_MS };
    const span = await this.client.query(
      `SELECT min(batch) AS first, max(batch) AS last FROM alert_index WHERE ${within}`,
      parameters,
      options,
    );
    const [from, to] = [bigints(span, "first")[0] ?? 0n, bigints(span, "last")[0] ?? 0n];
    if (to === 0n) return [];
    const ofBatches = "batch >= {from:UInt64} AND batch <= {to:UInt64}";
    const block = await this.client.query(
      `SELECT stage, toFloat64(count()) AS n, toFloat64(max(ms)) AS longest,
        quantileTDigest(0.5)(ms) AS p50, quantileTDigest(0.9)(ms) AS p90, quantileTDigest(0.99)(ms) AS p99
      FROM (
        SELECT stage, end - begin AS ms FROM (
          SELECT jd, batch, emittedAt, receivedAt FROM alert_index
          WHERE ${within} AND batch GLOBAL IN (SELECT batch FROM batches WHERE ${ofBatches})
          ORDER BY survey, candid, batch LIMIT 1 BY candid
        ) AS alerts
        GLOBAL ANY LEFT JOIN (
          SELECT batch, storedAt, filteredAt FROM batches WHERE ${ofBatches}
        ) AS stored USING (batch)
        GLOBAL ANY LEFT JOIN (
          SELECT batch, numberedAt FROM numbered WHERE ${ofBatches}
        ) AS delivered USING (batch)
        ARRAY JOIN range(${LATENCY_STAGES.length}) AS stage, ${BEGINS} AS begin, ${ENDS} AS end
        WHERE begin > 0 AND end > 0
      ) GROUP BY stage ORDER BY stage`,
      { ...parameters, from, to },
      options,
    );
    const stage = numbers(block, "stage");
    const n = numbers(block, "n");
    const seconds = (name: string) => {
      const values = numbers(block, name);
      return (row: number) => values[row]! / 1000;
    };
    const [p50, p90, p99, longest] = [seconds("p50"), seconds("p90"), seconds("p99"), seconds("longest")];
    return eachRow(block, (row) => ({
      stage: LATENCY_STAGES[stage[row]!] as LatencyStage,
      count: n[row]!,
      p50: p50(row),
      p90: p90(row),
      p99: p99(row),
      max: longest(row),
    }));
  }

  async #momentsOf(batches: readonly bigint[]) {
    const ask = (columns: string, table: string) =>
      this.client.query(`SELECT batch, ${columns} FROM ${table} WHERE batch IN {batches:Array(UInt64)}`, { batches });
    const [stored, numbered] = await Promise.all([
      ask("storedAt, filteredAt", "batches"),
      ask("numberedAt", "numbered"),
    ]);
    const numberedAt = momentsIn(numbered, "numberedAt");
    const delivered = new Map(eachRow(numbered, (row) => [bigints(numbered, "batch")[row]!, numberedAt(row)]));
    const [storedAt, filteredAt] = [momentsIn(stored, "storedAt"), momentsIn(stored, "filteredAt")];
    return new Map(
      eachRow(stored, (row) => {
        const batch = bigints(stored, "batch")[row]!;
        const times = { storedAt: storedAt(row), filteredAt: filteredAt(row) };
        return [batch, { ...times, deliveredAt: delivered.get(batch) ?? null }];
      }),
    );
  }
}

function momentsIn(block: Block, name: string): (row: number) => number | null {
  const values = bigints(block, name);
  return (row) => (values[row]! > 0n ? Number(values[row]) : null);
}
