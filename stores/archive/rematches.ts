// RematchStore on ClickHouse. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import type { Survey } from "../../domain/survey.js";
import type { MatchedAlert, Rematch, RematchStore } from "../matches.store.js";
import type { AlertTable } from "./alerts.table.js";
import { idAt } from "./batches.js";
import { bigints, blockOf, eachRow, floats, numbers, signed, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";
import { IN_TIME } from "./pages.js";

/** Before any alert. */
const FIRST: MatchedAlert = { jd: -1e300, candid: 0n };

export class ArchiveRematches implements RematchStore {
  constructor(
    private readonly client: ArchiveClient,
    private readonly tables: ReadonlyMap<Survey, AlertTable>,
  ) {}

  async rematches(catalogs: readonly string[]): Promise<Rematch[]> {
    const block = await this.client.query(
      `SELECT catalog, revision, version, survey, startedAt, jd, candid, done, total, complete FROM rematches
      WHERE catalog IN {catalogs:Array(String)}
      ORDER BY catalog, revision, version, survey, updatedAt DESC LIMIT 1 BY catalog, revision, version, survey`,
      { catalogs },
    );
    const text = (name: string) => strings(block, name);
    const [catalog, version, survey] = [text("catalog"), text("version"), text("survey")];
    const big = (name: string) => bigints(block, name);
    const [revision, startedAt, candid] = [big("revision"), big("startedAt"), big("candid")];
    const [done, total] = [big("done"), big("total")];
    const [jd, complete] = [numbers(block, "jd"), numbers(block, "complete")];
    return eachRow(block, (row) => ({
      catalog: catalog[row]!,
      revision: Number(revision[row]),
      version: version[row]!,
      survey: survey[row]!,
      startedAt: Number(startedAt[row]),
      until: jd[row] === FIRST.jd ? null : { jd: jd[row]!, candid: candid[row]! },
      done: Number(done[row]),
      total: Number(total[row]),
      complete: complete[row] === 1,
    }));
  }

  async saveRematch({
    catalog,
    revision,
    version,
    survey,
    startedAt,
    until,
    done,
    total,
    complete,
  }: Rematch): Promise<void> {
    const { jd, candid } = until ?? FIRST;
    const row = {
      ...{ catalog: texts([catalog]), version: texts([version]), survey: texts([survey]) },
      revision: unsigned(BigUint64Array.of(BigInt(revision))),
      startedAt: signed(BigInt64Array.of(BigInt(startedAt))),
      jd: floats(Float64Array.of(jd)),
      candid: signed(BigInt64Array.of(candid)),
      done: unsigned(BigUint64Array.of(BigInt(done))),
      total: unsigned(BigUint64Array.of(BigInt(total))),
      complete: { type: "Bool" as const, values: Uint8Array.of(Number(complete)), nulls: null },
      updatedAt: signed(BigInt64Array.of(BigInt(Date.now()))),
    };
    await this.client.insert("rematches", blockOf(1, row));
  }

  async alertCount(survey: Survey): Promise<number> {
    const block = await this.client.query(`SELECT count() AS count FROM ${quoted(this.#table(survey).name)}`);
    return Number(bigints(block, "count")[0] ?? 0n);
  }

  async alertsAfter(survey: Survey, after: MatchedAlert | null, first: number, writtenSince?: number): Promise<Block> {
    const { jd, candid } = after ?? FIRST;
    const written = writtenSince === undefined ? "" : "AND batch >= {batch:UInt64}";
    const block = await this.client.query(
      `SELECT objectId, jd, candid, ra, dec FROM ${quoted(this.#table(survey).name)}
      WHERE jd >= {jd:Float64} AND (jd > {jd:Float64} OR candid > {candid:Int64}) ${written}
      ORDER BY jd, candid LIMIT 1 BY jd, candid LIMIT {first:UInt32} ${IN_TIME}`,
      { jd, candid, first, ...(writtenSince === undefined ? {} : { batch: idAt(writtenSince) }) },
    );
    return block.rows > 0 ? block : NO_ALERTS;
  }

  #table(survey: Survey): AlertTable {
    const table = this.tables.get(survey);
    if (table === undefined) throw new Error(`There is no table of alerts of ${survey}.`);
    return table;
  }
}

const NO_ALERTS = blockOf(0, {
  objectId: texts([]),
  jd: floats(new Float64Array(0)),
  candid: signed(new BigInt64Array(0)),
  ra: floats(new Float64Array(0)),
  dec: floats(new Float64Array(0)),
});
