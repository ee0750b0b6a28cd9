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
/** How the messages of a stream are written. */
export type StreamFormat = "AVRO" | "JSON";

/** A Kafka topic that gets a filter's hits. Its name is made of the filter's id: subscriptions/streams/topic.ts. */
export interface FilterStream {
  readonly format: StreamFormat;
  /** Hits with a higher seq go there: the newest when it was switched on. */
  readonly after: bigint;
}

export interface Filter {
  readonly id: string;
  readonly name: string;
  readonly survey: Survey;
  readonly active: boolean;
  /** null where its hits are not published. */
  readonly stream: FilterStream | null;
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

export interface FoundHit extends NewHit {
  /** Epoch milliseconds at which the filter ran. */
  readonly passedAt: number;
}

/** A stored hit. `seq` grows by one per hit over the whole archive: it is what cursors hold. */
export interface Hit extends FoundHit {
  readonly seq: bigint;
}

/** A hit together with its alert, as it is delivered. */
export interface DeliveredHit extends Hit {
  readonly alert: Alert;
}
