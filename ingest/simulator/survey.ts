// What a survey gives to be simulated: how it observes and how it writes packets. Implemented in ingest/surveys/<name>/.
import type { Cadence } from "./cadence.js";
import type { Random } from "./random.js";
import type { SimulatedAlert } from "./sky.js";

export interface SimulatedSurvey {
  readonly cadence: Cadence;
  /** JSON text of the packets' writer schema. */
  readonly schema: string;
  /** The packet's fields as Avro values of that schema; 64-bit integers as bigint. */
  packet(alert: SimulatedAlert, random: Random): Record<string, unknown>;
  /** The objectId that Tocsin shows for the alert's object. */
  objectId(alert: SimulatedAlert): string;
}
