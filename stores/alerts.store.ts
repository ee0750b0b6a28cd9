// Alerts by candid, by condition, and the write of a batch. Implemented by stores/archive.
import type { Alert, AlertBatch } from "../domain/alert.js";
import type { Cone } from "../domain/skyobject.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import type { PacketLocation } from "./packets.store.js";

/** Conditions are ANDed. Newest first. */
export interface AlertConditions {
  readonly survey?: Survey;
  readonly objectId?: string;
  readonly cone?: Cone;
  /** [start, end) as JD UTC. */
  readonly time?: { readonly startJd: number; readonly endJd: number };
  readonly class?: string;
  readonly solarSystemName?: string;
}

/** Order of pages: jd descending, then candid descending, then survey. */
export interface AlertKey {
  readonly jd: number;
  readonly candid: bigint;
  readonly survey: Survey;
}

export interface KnownAlert {
  readonly contentHash: bigint;
  /** False while the batch that wrote it has not been committed: it has to be taken in again. */
  readonly committed: boolean;
}

export interface AlertStore {
  /** System use: which of these candids are in the archive. */
  known(survey: Survey, candids: BigInt64Array): Promise<Map<bigint, KnownAlert>>;
  /** Alerts, photometry, object summaries and positions of a batch. Writing twice changes nothing. */
  write(
    batchId: bigint,
    batch: AlertBatch,
    contentHashes: BigUint64Array,
    packets: readonly PacketLocation[],
  ): Promise<void>;
  byCandid(viewer: Viewer, survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, Alert>>;
  /** Up to `first` alerts after `after`. */
  page(viewer: Viewer, where: AlertConditions, first: number, after: AlertKey | null): Promise<Alert[]>;
  /** A page for each of many objects of one survey in one query. */
  pagePerObject(
    viewer: Viewer,
    survey: Survey,
    objectIds: readonly string[],
    first: number,
    after: AlertKey | null,
  ): Promise<Map<string, Alert[]>>;
  /** The survey's own columns of these alerts: name to value, 64-bit integers as bigint. */
  ownFields(
    viewer: Viewer,
    survey: Survey,
    candids: readonly bigint[],
    names: readonly string[],
  ): Promise<Map<bigint, Record<string, number | bigint | string | boolean | null>>>;
  packetLocations(viewer: Viewer, survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, PacketLocation>>;
}
