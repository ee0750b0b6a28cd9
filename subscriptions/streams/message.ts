// A hit as a Kafka message: key, value and headers. Called by publisher.ts.
import type { Message } from "kafkajs";
import type { DeliveredHit } from "../../domain/filter.js";
import { isoFromJd, jdFromEpochMs } from "../../domain/time.js";
import { hitBody } from "./schema.js";

/**
 * `avroHeader`: what stands before an Avro body; null for JSON. `cursor`: of this hit, as the API gives it. The key keeps
 * the hits of an object in one partition, and so in their order.
 */
export function hitMessage(hit: DeliveredHit, cursor: string, avroHeader: Buffer | null): Message {
  const { filterId, filterVersion, survey, candid, objectId, passedAt } = hit;
  return {
    key: `${survey}:${objectId}`,
    value: avroHeader === null ? hitJson(hit, cursor) : Buffer.concat([avroHeader, hitBody(hit, cursor)]),
    headers: { cursor, filterId, filterVersion: String(filterVersion), survey, candid: candid.toString() },
    timestamp: String(passedAt),
  };
}

/** The fields of the API's FilterHit and Alert, with the values and in the form in which the API gives them. */
function hitJson(hit: DeliveredHit, cursor: string): string {
  const { filterId, filterVersion, alert } = hit;
  const passedAt = isoFromJd(jdFromEpochMs(hit.passedAt));
  const annotations: unknown = hit.annotations === null ? null : JSON.parse(hit.annotations);
  const shown = { ...alert, candid: alert.candid.toString(), time: isoFromJd(alert.jd) };
  return JSON.stringify({ cursor, filterId, filterVersion, passedAt, annotations, alert: shown });
}
