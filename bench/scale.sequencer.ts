// How many hits a second one sequencer numbers, on a ClickHouse server: batches that other workers found and committed,
// read back, numbered and fenced. Used by scale.bench.ts.
import pino from "pino";
import { openArchive } from "../cli/engines.js";
import type { Running } from "../cli/servers/background.js";
import { readSettings } from "../cli/settings.js";
import type { FoundHit } from "../domain/filter.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import { spread, timed } from "./harness.js";

export interface Numbering {
  readonly hitsPerBatch: number;
  readonly batches: number;
  /** Of the sequencer alone: the workers' inserts are not in it. */
  readonly hitsPerSecond: number;
  readonly cpuMsPerHit: number;
  readonly msPerCall: number;
}

/** `most` hits in all for each size of batch. */
export async function measureSequencer(clickhouse: Running, most: number): Promise<Numbering[]> {
  const settings = readSettings({ ...clickhouse.settings, CLICKHOUSE_DATABASE: "sequencer" });
  const log = pino({ level: "error" });
  const archive = await openArchive(settings, log);
  try {
    const descriptions = SURVEYS.map(({ description }) => description);
    const stores = await createArchiveStores(archive.client, descriptions, { skyIndexBytes: 0, log: () => {} });
    await stores.sequence.begin(0);
    const found: Numbering[] = [];
    let made = 0;
    for (const hitsPerBatch of [100, 1_000, 5_000]) {
      const batches = Math.min(100, Math.max(1, Math.floor(most / hitsPerBatch)));
      const ids: bigint[] = [];
      for (let n = 0; n < batches; n += 1) {
        const batchId = stores.batches.begin();
        const hits = Array.from({ length: hitsPerBatch }, (_, k) => hit(BigInt(made + k)));
        made += hitsPerBatch;
        await stores.hits.found(batchId, hits);
        const none = { read: hitsPerBatch, stored: hitsPerBatch, duplicates: 0, deadLetters: 0, steps: {} };
        await stores.batches.commit(batchId, { survey: "ZTF", hits: hitsPerBatch, ...none });
        ids.push(batchId);
      }
      // A few batches a call, as many as workers commit in the 200 ms between two looks.
      const times: number[] = [];
      const { wallSeconds, cpuSeconds } = await timed(async () => {
        for (let at = 0; at < ids.length; at += 4) {
          const from = performance.now();
          const numbered = await stores.sequence.number(ids.slice(at, at + 4), new Map());
          if (numbered?.length !== Math.min(4, ids.length - at) * hitsPerBatch) throw new Error("Hits were lost.");
          times.push(performance.now() - from);
        }
      }, clickhouse.pids);
      const hits = hitsPerBatch * batches;
      found.push({
        hitsPerBatch,
        batches,
        hitsPerSecond: hits / wallSeconds,
        cpuMsPerHit: (1000 * cpuSeconds) / hits,
        msPerCall: spread(times).median,
      });
    }
    return found;
  } finally {
    await archive.close();
  }
}

const hit = (candid: bigint): FoundHit => ({
  filterId: `filter ${candid % 25n}`,
  filterVersion: 1,
  survey: "ZTF",
  candid,
  objectId: `ZTF26${candid}`,
  jd: 2_461_000.5,
  programid: 1,
  annotations: '{"mag":18.25,"detections":7}',
  passedAt: Date.now(),
});
