// ReceiptStore on ClickHouse. Made by stores.ts.
import type { Night } from "../../domain/night.js";
import { type BatchTallies, MAX_SOURCES, type NightReceipt, type SourceReceipt } from "../../domain/receipt.js";
import type { Survey } from "../../domain/survey.js";
import type { Discrepancy, ReceiptStore } from "../receipts.store.js";
import { bigints, blockOf, counts, eachRow, integers, numbers, signed, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { letterId } from "./deadletters.id.js";
import { gapsIn } from "./receipts.gaps.js";

/** Files have no partitions. */
const NO_PARTITION = -1;
const NO_SURVEY = "";
/** Replicas may lag for moments. */
const SETTLED_MS = 10_000;
const TIMEOUT = { timeoutMs: 20_000 };

/** Batches of earlier versions have no receipts. */
const COMMITTED = "SELECT batch FROM batches WHERE storedAt > 0";
const OF_NIGHT = "survey = {survey:String} AND night = {night:String}";

export class ArchiveReceipts implements ReceiptStore {
  constructor(private readonly client: ArchiveClient) {}

  async write(batchId: bigint, { tallies, letters, ranges, replayed }: BatchTallies): Promise<void> {
    const batch = (rows: number) => unsigned(new BigUint64Array(rows).fill(batchId));
    const keys = (
      of: readonly { survey: Survey | null; night: string; source: string; partition: number | null }[],
    ) => ({
      survey: texts(of.map(({ survey }) => survey ?? NO_SURVEY)),
      night: texts(of.map(({ night }) => night)),
      source: texts(of.map(({ source }) => source)),
      partition: integers(Int32Array.from(of, ({ partition }) => partition ?? NO_PARTITION)),
      batch: batch(of.length),
    });
    const letterKeys = letters.map((counted) => ({ ...counted, ...counted.part }));
    const tables = {
      receipts: blockOf(tallies.length, {
        ...keys(tallies),
        received: counts(Uint32Array.from(tallies, ({ received }) => received)),
        stored: counts(Uint32Array.from(tallies, ({ stored }) => stored)),
        duplicates: counts(Uint32Array.from(tallies, ({ duplicates }) => duplicates)),
      }),
      letter_receipts: blockOf(letters.length, {
        ...keys(letterKeys),
        id: unsigned(BigUint64Array.from(letters, ({ letter }) => letterId(letter))),
      }),
      offset_ranges: blockOf(ranges.length, {
        source: texts(ranges.map(({ source }) => source)),
        partition: integers(Int32Array.from(ranges, ({ partition }) => partition)),
        first: unsigned(BigUint64Array.from(ranges, ({ first }) => first)),
        last: unsigned(BigUint64Array.from(ranges, ({ last }) => last)),
        batch: batch(ranges.length),
      }),
      replays: blockOf(replayed.length, {
        id: unsigned(BigUint64Array.from(replayed)),
        batch: batch(replayed.length),
        replayedAt: signed(new BigInt64Array(replayed.length).fill(BigInt(Date.now()))),
      }),
    };
    const inserts = Object.entries(tables).filter(([, { rows }]) => rows > 0);
    const done = await Promise.allSettled(inserts.map(([name, block]) => this.client.insert(name, block)));
    for (const insert of done) if (insert.status === "rejected") throw insert.reason;
  }

  async night(survey: Survey, night: Night): Promise<NightReceipt> {
    const [ours, unattributed, archive, hits] = await Promise.all([
      this.#sources(survey, night.name),
      this.#sources(NO_SURVEY, night.name),
      this.#archived(survey, night),
      this.#hits(survey, night),
    ]);
    return {
      survey,
      night: night.name,
      received: ours.received,
      // What two workers stored at the same time is one alert, and one of the two was a duplicate.
      stored: ours.stored - archive.twice,
      duplicates: ours.duplicates + archive.twice,
      deadLetters: ours.deadLetters,
      hits,
      archived: archive.distinct,
      sources: ours.sources,
      sourceCount: ours.sourceCount,
      unattributed: unattributed.sources,
    };
  }

  async discrepancies(since: number): Promise<Discrepancy[]> {
    const parameters = {
      floor: BigInt(Math.max(0, Math.floor(since))) << 20n,
      settled: BigInt(Date.now() - SETTLED_MS),
    };
    const batches = `${COMMITTED} AND batch >= {floor:UInt64} AND committedAt < {settled:Int64}`;
    const ask = (sql: string) => this.client.query(sql, parameters, TIMEOUT);
    const [told, tallied, letters, written] = await Promise.all([
      ask(`SELECT batch, any(survey) AS survey, toFloat64(any(stored)) AS stored FROM batches
        WHERE batch IN (${batches}) GROUP BY batch`),
      ask(`SELECT batch, toFloat64(sum(received)) AS received, toFloat64(sum(stored)) AS stored,
          toFloat64(sum(duplicates)) AS duplicates
        FROM receipts FINAL WHERE batch IN (${batches}) GROUP BY batch`),
      ask(
        `SELECT batch, toFloat64(count()) AS n FROM letter_receipts FINAL WHERE batch IN (${batches}) GROUP BY batch`,
      ),
      ask(`SELECT batch, toFloat64(uniqExact(survey, candid)) AS n FROM alert_index
        WHERE batch >= {floor:UInt64} GROUP BY batch`),
    ]);
    const byBatch = (block: typeof told, name: string) => {
      const values = numbers(block, name);
      const found = new Map(Array.from(bigints(block, "batch") as BigUint64Array, (id, row) => [id, values[row]!]));
      return (id: bigint): number => found.get(id) ?? 0;
    };
    const sums = ["received", "stored", "duplicates"].map((name) => byBatch(tallied, name));
    const [received, stored, duplicates] = sums as [(typeof sums)[0], (typeof sums)[0], (typeof sums)[0]];
    const [deadLetters, rows] = [byBatch(letters, "n"), byBatch(written, "n")];
    const surveys = strings(told, "survey");
    const committed = numbers(told, "stored");
    return eachRow(told, (row) => {
      const batchId = bigints(told, "batch")[row]!;
      const [came, kept, again, aside] = [
        received(batchId),
        stored(batchId),
        duplicates(batchId),
        deadLetters(batchId),
      ];
      const faults: string[] = [];
      if (came !== kept + again + aside) {
        faults.push(`${came} received, but ${kept} stored, ${again} duplicates and ${aside} dead letters`);
      }
      if (kept !== committed[row] || rows(batchId) !== kept) {
        faults.push(`${kept} stored by its receipt, ${committed[row]} by its commit, ${rows(batchId)} in the archive`);
      }
      return { batchId, survey: surveys[row] || null, sentence: faults.join("; ") };
    }).filter(({ sentence }) => sentence !== "");
  }

  /** Sums over all sources of a night, and the first MAX_SOURCES of them. */
  async #sources(survey: string, night: string) {
    const block = await this.client.query(
      `WITH committed AS (
        ${COMMITTED} AND batch IN (
          SELECT batch FROM receipts WHERE ${OF_NIGHT} UNION ALL SELECT batch FROM letter_receipts WHERE ${OF_NIGHT}
        )
      ),
      letters AS (
        SELECT source, partition, id, batch, survey, night,
          batch = min(batch) OVER (PARTITION BY id) AS isFirst,
          id IN (SELECT id FROM replays WHERE batch IN (${COMMITTED})) AS isReplayed
        FROM letter_receipts FINAL
        WHERE id IN (SELECT id FROM letter_receipts WHERE ${OF_NIGHT}) AND batch IN (${COMMITTED})
      ),
      parts AS (
        SELECT source, partition, toInt64(received) AS came, toInt64(stored) AS kept, toInt64(duplicates) AS again,
          0 AS aside
        FROM receipts FINAL WHERE ${OF_NIGHT} AND batch IN committed
        UNION ALL
        SELECT source, partition, if(isFirst AND isReplayed, -1, 0), 0, if(isFirst, 0, 1),
          if(isFirst AND NOT isReplayed, 1, 0)
        FROM letters WHERE ${OF_NIGHT}
      ),
      bySource AS (
        SELECT source, partition, sum(came) AS came, sum(kept) AS kept, sum(again) AS again, sum(aside) AS aside
        FROM parts GROUP BY source, partition
      )
      SELECT source, partition, toFloat64(came) AS received, toFloat64(kept) AS stored,
        toFloat64(again) AS duplicates, toFloat64(aside) AS deadLetters,
        toFloat64(sum(came) OVER ()) AS allReceived, toFloat64(sum(kept) OVER ()) AS allStored,
        toFloat64(sum(again) OVER ()) AS allDuplicates, toFloat64(sum(aside) OVER ()) AS allDeadLetters,
        toFloat64(count() OVER ()) AS n
      FROM bySource ORDER BY source, partition LIMIT ${MAX_SOURCES}`,
      { survey, night },
      TIMEOUT,
    );
    const column = (name: string) => numbers(block, name);
    const [source, partition] = [strings(block, "source"), column("partition")];
    const [received, stored, duplicates, deadLetters] = ["received", "stored", "duplicates", "deadLetters"].map(column);
    const found = eachRow(block, (row): SourceReceipt => {
      return {
        source: source[row]!,
        partition: partition[row] === NO_PARTITION ? null : partition[row]!,
        received: received![row]!,
        stored: stored![row]!,
        duplicates: duplicates![row]!,
        deadLetters: deadLetters![row]!,
        offsets: null,
        gaps: [],
      };
    });
    return {
      received: column("allReceived")[0] ?? 0,
      stored: column("allStored")[0] ?? 0,
      duplicates: column("allDuplicates")[0] ?? 0,
      deadLetters: column("allDeadLetters")[0] ?? 0,
      sourceCount: column("n")[0] ?? 0,
      sources: await gapsIn(this.client, survey, night, found),
    };
  }

  /** Distinct alerts of the night, and how many more times than once they were stored. */
  async #archived(survey: Survey, { startJd, endJd }: Night): Promise<{ distinct: number; twice: number }> {
    const within = "survey = {survey:String} AND jd >= {startJd:Float64} AND jd < {endJd:Float64}";
    const parameters = { survey, startJd, endJd };
    const span = await this.client.query(
      `SELECT min(batch) AS first, max(batch) AS last FROM alert_index WHERE ${within}`,
      parameters,
      TIMEOUT,
    );
    const [from, to] = [bigints(span, "first")[0] ?? 0n, bigints(span, "last")[0] ?? 0n];
    const block = await this.client.query(
      `SELECT toFloat64(count()) AS distinct, toFloat64(sum(times - 1)) AS twice FROM (
        SELECT candid, uniqExact(batch) AS times FROM alert_index
        WHERE ${within}
          AND batch GLOBAL IN (${COMMITTED} AND batch >= {from:UInt64} AND batch <= {to:UInt64})
        GROUP BY survey, candid
      ) SETTINGS optimize_aggregation_in_order = 1`,
      { ...parameters, from, to },
      TIMEOUT,
    );
    return { distinct: numbers(block, "distinct")[0] ?? 0, twice: numbers(block, "twice")[0] ?? 0 };
  }

  async #hits(survey: Survey, { startJd, endJd }: Night): Promise<number> {
    const block = await this.client.query(
      `SELECT toFloat64(uniqExact(seq)) AS n FROM hits
      WHERE survey = {survey:String} AND jd >= {startJd:Float64} AND jd < {endJd:Float64}`,
      { survey, startJd, endJd },
      TIMEOUT,
    );
    return numbers(block, "n")[0] ?? 0;
  }
}
