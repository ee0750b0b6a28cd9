// AlertStore on ClickHouse. Made by stores.ts.
import type { Alert, AlertBatch } from "../../domain/alert.js";
import { TocsinError } from "../../domain/errors.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { AlertConditions, AlertKey, AlertStore, KnownAlert } from "../alerts.store.js";
import type { PacketLocation } from "../packets.store.js";
import { newestFirst, objectPages, surveyPage } from "./alerts.page.js";
import { ALERT_COLUMNS, alertsOf } from "./alerts.rows.js";
import type { AlertTable } from "./alerts.table.js";
import { writeBatch } from "./alerts.write.js";
import { bigints, blockOf, column, numbers, signed, strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import type { CommittedBatches } from "./committed.js";
import { quoted } from "./http.form.js";
import { visibleIn } from "./visibility.js";

type Value = number | bigint | string | boolean | null;

export class ArchiveAlerts implements AlertStore {
  constructor(
    private readonly client: ArchiveClient,
    private readonly tables: ReadonlyMap<Survey, AlertTable>,
    private readonly committed: CommittedBatches,
    private readonly onWritten: (survey: Survey, alerts: AlertBatch["alerts"]) => void,
  ) {}

  async known(survey: Survey, candids: BigInt64Array): Promise<Map<bigint, KnownAlert>> {
    const known = new Map<bigint, KnownAlert>();
    if (candids.length === 0) return known;
    const asked = blockOf(candids.length, { candid: signed(candids) });
    const block = await this.client.query(
      `SELECT candid, contentHash, batch FROM alert_index
      WHERE survey = {survey:String} AND candid IN (SELECT candid FROM asked) ORDER BY candid, batch`,
      { survey },
      { external: [{ name: "asked", block: asked }] },
    );
    const batches = bigints(block, "batch");
    const complete = await this.committed.among(batches);
    const found = bigints(block, "candid");
    const hashes = bigints(block, "contentHash");
    for (let row = 0; row < block.rows; row++) {
      const committed = complete.has(batches[row]!);
      // Any complete batch makes it known, whatever a later and unfinished one wrote.
      if (!committed && known.get(found[row]!)?.committed) continue;
      known.set(found[row]!, { contentHash: hashes[row]!, committed });
    }
    return known;
  }

  async write(
    batchId: bigint,
    batch: AlertBatch,
    contentHashes: BigUint64Array,
    packets: readonly PacketLocation[],
  ): Promise<void> {
    await writeBatch(this.client, this.#table(batch.survey), batchId, batch, contentHashes, packets);
    this.onWritten(batch.survey, batch.alerts);
  }

  async byCandid(viewer: Viewer, survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, Alert>> {
    const block = await this.#rows(viewer, survey, candids, ALERT_COLUMNS);
    const alerts = block === null ? [] : alertsOf(survey, block);
    return new Map(alerts.map((alert) => [alert.candid, alert]));
  }

  async page(viewer: Viewer, where: AlertConditions, first: number, after: AlertKey | null): Promise<Alert[]> {
    const pages = [...this.tables.values()].map(async (table) => {
      const visible = visibleIn(viewer, table.survey);
      if (visible === null || (where.survey !== undefined && where.survey !== table.survey)) return [];
      return surveyPage(this.client, table, visible, where, first, after);
    });
    return (await Promise.all(pages)).flat().sort(newestFirst).slice(0, first);
  }

  async pagePerObject(
    viewer: Viewer,
    survey: Survey,
    objectIds: readonly string[],
    first: number,
    after: AlertKey | null,
  ): Promise<Map<string, Alert[]>> {
    const visible = visibleIn(viewer, survey);
    if (visible === null || objectIds.length === 0) return new Map();
    return objectPages(this.client, this.#table(survey), visible, objectIds, first, after);
  }

  async ownFields(
    viewer: Viewer,
    survey: Survey,
    candids: readonly bigint[],
    names: readonly string[],
  ): Promise<Map<bigint, Record<string, Value>>> {
    const { columns } = this.#table(survey);
    for (const name of names) {
      if (!columns.has(name)) throw new TocsinError("BAD_ARGUMENT", `${survey} has no alert field "${name}".`);
    }
    const list = [...new Set(["candid", ...names])].map(quoted).join(", ");
    const block = await this.#rows(viewer, survey, candids, list);
    const fields = new Map<bigint, Record<string, Value>>();
    if (block === null || block.rows === 0) return fields;
    const wanted = names.map((name) => [name, column(block, name)] as const);
    bigints(block, "candid").forEach((candid: bigint, row: number) => {
      const values = wanted.map(([name, { type, values, nulls }]) => {
        const value = nulls?.[row] ? null : values[row]!;
        return [name, type === "Bool" && value !== null ? value === 1 : value] as const;
      });
      fields.set(candid, Object.fromEntries(values));
    });
    return fields;
  }

  async packetLocations(
    viewer: Viewer,
    survey: Survey,
    candids: readonly bigint[],
  ): Promise<Map<bigint, PacketLocation>> {
    const visible = visibleIn(viewer, survey);
    if (visible === null || candids.length === 0) return new Map();
    const block = await this.client.query(
      `SELECT candid, segment, offset, length, schema FROM alert_index
      WHERE survey = {survey:String} AND candid IN {candids:Array(Int64)} AND ${visible.sql}
      ORDER BY batch DESC LIMIT 1 BY candid`,
      { ...visible.parameters, survey, candids },
    );
    return new Map(packetLocations(block));
  }

  /** One row per visible alert; null where nothing can be visible. */
  async #rows(viewer: Viewer, survey: Survey, candids: readonly bigint[], columns: string) {
    const visible = visibleIn(viewer, survey);
    if (visible === null || candids.length === 0) return null;
    return this.client.query(
      `SELECT ${columns} FROM ${this.#table(survey).name} WHERE (jd, candid) IN (
        SELECT jd, candid FROM alert_index WHERE survey = {survey:String} AND candid IN {candids:Array(Int64)}
      ) AND ${visible.sql} ORDER BY batch DESC LIMIT 1 BY candid`,
      { ...visible.parameters, survey, candids },
    );
  }

  #table(survey: Survey): AlertTable {
    const table = this.tables.get(survey);
    if (table === undefined) throw new TocsinError("UNKNOWN_SURVEY", `There is no survey "${survey}".`);
    return table;
  }
}

/** [candid, location] of each row of an answer with candid, segment, offset, length and schema. */
export function packetLocations(block: Parameters<typeof bigints>[0]): [bigint, PacketLocation][] {
  const candids = bigints(block, "candid");
  const segments = numbers(block, "segment");
  const offsets = bigints(block, "offset");
  const lengths = numbers(block, "length");
  const schemas = strings(block, "schema");
  return Array.from({ length: block.rows }, (_, row) => [
    candids[row]!,
    { segment: segments[row]!, offset: Number(offsets[row]!), length: lengths[row]!, schema: schemas[row]! },
  ]);
}
