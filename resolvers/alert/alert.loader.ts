// Alerts by candid, their packets and own columns, and pages of alerts of many objects: one query each per level.
import DataLoader from "dataloader";
import type { Alert } from "../../domain/alert.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import { MAX_PAGE } from "../../schema/paging/bounds.js";
import type { AlertKey, AlertStore } from "../../stores/alerts.store.js";
import type { PacketReader } from "../../stores/packets.store.js";
import { surveyLoader } from "../surveyloader.js";

/** One object's page; pages that differ only in their object are read together. */
export interface ObjectPage {
  readonly survey: Survey;
  readonly objectId: string;
  readonly first: number;
  readonly after: AlertKey | null;
}
export interface OwnFieldsKey {
  readonly survey: Survey;
  readonly candid: bigint;
  readonly names: readonly string[];
}

type Reads = Pick<AlertStore, "byCandid" | "pagePerObject" | "ownFields">;

export const alertLoader = (alerts: Reads, viewer: Viewer) =>
  surveyLoader<bigint, Alert>((survey, candids) => alerts.byCandid(viewer, survey, candids));

export const packetLoader = (packets: Pick<PacketReader, "fieldsByCandid">, viewer: Viewer) =>
  surveyLoader<bigint, Record<string, unknown>>((survey, candids) => packets.fieldsByCandid(viewer, survey, candids));

export const objectPageLoader = (alerts: Reads, viewer: Viewer) =>
  together(
    (page: ObjectPage) => `${page.survey} ${page.first} ${page.after?.jd} ${page.after?.candid}`,
    (page) => page.objectId,
    async ([page], ids) => alerts.pagePerObject(viewer, page.survey, ids, page.first, page.after),
    [],
  );

export const ownFieldsLoader = (alerts: Reads, viewer: Viewer) =>
  together(
    (key: OwnFieldsKey) => JSON.stringify([key.survey, key.names]),
    (key) => key.candid,
    async ([key], candids) => alerts.ownFields(viewer, key.survey, candids, key.names),
    {},
  );

/** Keys with the same `group` text are loaded by one call; `none` stands for what the call does not have. */
function together<Key, Id extends string | bigint, Row>(
  group: (key: Key) => string,
  id: (key: Key) => Id,
  load: (keys: [Key, ...Key[]], ids: readonly Id[]) => Promise<ReadonlyMap<Id, Row>>,
  none: Row,
): DataLoader<Key, Row, string> {
  return new DataLoader(
    async (keys) => {
      const groups = new Map<string, [Key, ...Key[]]>();
      for (const key of keys) {
        const same = groups.get(group(key));
        if (same) same.push(key);
        else groups.set(group(key), [key]);
      }
      const rows = new Map<string, ReadonlyMap<Id, Row>>();
      await Promise.all(
        [...groups].map(async ([name, same]) => {
          rows.set(name, await load(same, same.map(id)));
        }),
      );
      return keys.map((key) => rows.get(group(key))?.get(id(key)) ?? none);
    },
    { cacheKeyFn: (key) => `${group(key)} ${id(key)}`, maxBatchSize: MAX_PAGE },
  );
}
