// A user's filter, its versions and its hits. Made by filters/ and stores/, shown by resolvers/ and subscriptions/.
import type { Alert } from "./alert.js";
import type { Survey } from "./survey.js";

export interface Annotation {
  readonly name: string;
  readonly expression: string;
}
export interface FilterVersion {
  readonly number: number;
  readonly where: string;
  readonly annotations: readonly Annotation[];
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly changelog: string | null;
}
export interface Filter {
  readonly id: string;
  readonly name: string;
  readonly survey: Survey;
  readonly active: boolean;
  /** Ascending; the last one is in force. */
  readonly versions: readonly FilterVersion[];
}

/** An alert that passed a filter, before it has a cursor. */
export interface NewHit {
  readonly filterId: string;
  readonly filterVersion: number;
  readonly survey: Survey;
  readonly candid: bigint;
  readonly objectId: string;
  readonly jd: number;
  readonly programid: number;
  /** JSON text of an object, or null where the filter has no annotations. */
  readonly annotations: string | null;
}

/** A stored hit. `seq` grows by one per hit over the whole archive: it is what cursors hold. */
export interface Hit extends NewHit {
  readonly seq: bigint;
  /** Epoch milliseconds. */
  readonly passedAt: number;
}

/** A hit together with its alert, as it is delivered. */
export interface DeliveredHit extends Hit {
  readonly alert: Alert;
}
