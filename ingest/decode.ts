// Step: packets' bytes as columns, survey by survey; what cannot be one becomes a dead letter. Called by ingest/pipeline.ts.
import { LRUCache } from "lru-cache";
import { type AlertBatch, COMMON_FIELDS, INTERNAL_FIELDS } from "../domain/alert.js";
import type { Column } from "../domain/columns.js";
import { nestedPixels } from "../domain/healpix.js";
import type { DeadLetter, DeadLetterReason, Packet } from "../domain/packet.js";
import { eclipticFromIcrs, galacticFromIcrs, normaliseRa } from "../domain/sky.js";
import type { Survey } from "../domain/survey.js";
import { isJd } from "../domain/time.js";
import { type GeneratedReader, Tables } from "./avro/columnar.js";
import { keptBytes } from "./avro/container.js";
import { compileReader } from "./avro/generate.js";
import { parseSchema } from "./avro/schema.js";
import { takeAlerts } from "./rows.js";
import { withNamesOfToday } from "./surveys/formernames.js";
import { SURVEYS } from "./surveys/index.js";
import type { SurveyModule } from "./surveys/survey.js";

/** What to do with packets of a schema. */
type Handling =
  | { readonly survey: SurveyModule; readonly reader: GeneratedReader }
  | { readonly survey: null; readonly reason: DeadLetterReason; readonly message: string };

/** Users may send endless different schemas. */
const handlings = new LRUCache<string, Handling>({ max: 64 });

function handlingOf(schemaText: string): Handling {
  const known = handlings.get(schemaText);
  if (known !== undefined) return known;
  const handling = newHandling(schemaText);
  handlings.set(schemaText, handling);
  return handling;
}

function newHandling(schemaText: string): Handling {
  try {
    const schema = parseSchema(schemaText);
    const survey = SURVEYS.find((module) => module.recognises(schema));
    if (survey !== undefined) {
      return { survey, reader: compileReader(withNamesOfToday(schema, survey.formerNames), survey.layout) };
    }
    const message = `No survey here has packets of the schema ${schema.name.slice(0, 100)}.`;
    return { survey: null, reason: "UNKNOWN_SURVEY", message };
  } catch (error) {
    return { survey: null, reason: "UNKNOWN_SCHEMA", message: `Unusable schema: ${(error as Error).message}.` };
  }
}

export interface DecodedPackets {
  /** One for each survey met. */
  readonly batches: AlertBatch[];
  readonly deadLetters: DeadLetter[];
}

export function decode(packets: readonly Packet[]): DecodedPackets {
  const deadLetters: DeadLetter[] = [];
  const bySurvey = new Map<SurveyModule, { tables: Tables; packets: Packet[] }>();
  for (const packet of packets) {
    const handling = handlingOf(packet.schema.text);
    if (handling.survey === null) {
      deadLetters.push(letter(packet, null, handling.reason, handling.message));
      continue;
    }
    const { survey, reader } = handling;
    let group = bySurvey.get(survey);
    if (group === undefined) {
      group = { tables: new Tables(survey.layout, packets.length), packets: [] };
      bySurvey.set(survey, group);
    }
    const fault = group.tables.append(reader, packet.bytes);
    if (fault === null) group.packets.push(packet);
    else deadLetters.push(letter(packet, survey, "MALFORMED", `The packet is damaged: ${fault}.`));
  }
  const batches = [...bySurvey]
    .filter(([, group]) => group.packets.length > 0)
    .map(([survey, group]) => finish(survey, group.tables, group.packets, deadLetters));
  return { batches, deadLetters };
}

/** By the schema that wrote it. */
export const surveyOf = (packet: Packet): Survey | null =>
  handlingOf(packet.schema.text).survey?.description.id ?? null;

/** Of a packet that is set aside for another fault than its bytes. */
export const letterOf = (packet: Packet, reason: DeadLetterReason, message: string): DeadLetter =>
  letter(packet, handlingOf(packet.schema.text).survey, reason, message);

function letter(packet: Packet, survey: SurveyModule | null, reason: DeadLetterReason, message: string): DeadLetter {
  return {
    reason,
    message,
    origin: packet.origin,
    survey: survey?.description.id ?? null,
    bytes: keptBytes(packet.bytes),
    schemaFingerprint: packet.schema.fingerprint,
    schema: packet.schema,
    ...(packet.replayOf !== undefined && { replayOf: packet.replayOf }),
  };
}

function finish(survey: SurveyModule, tables: Tables, packets: Packet[], deadLetters: DeadLetter[]): AlertBatch {
  const { columns, photometry, toldBy } = survey.normalise(tables.finish());
  let batch: AlertBatch = {
    survey: survey.description.id,
    alerts: { rows: packets.length, columns },
    photometry,
    toldBy,
    packets,
  };
  const faults = badValues(batch);
  for (const [row, message] of faults) deadLetters.push(letter(packets[row]!, survey, "BAD_VALUE", message));
  if (faults.size > 0) {
    batch = takeAlerts(
      batch,
      Uint32Array.from(packets.keys()).filter((row) => !faults.has(row)),
    );
  }
  return { ...batch, alerts: { ...batch.alerts, columns: withPositions(batch.alerts.columns) } };
}

const REQUIRED = [...COMMON_FIELDS, ...INTERNAL_FIELDS].filter(({ nullable }) => !nullable).map(({ name }) => name);

/** The longest of any survey have some 20. */
const MAX_ID_LENGTH = 200;

/** Rows that cannot be alerts: no id, no time, no place. */
function badValues({ alerts }: AlertBatch): Map<number, string> {
  const faults = new Map<number, string>();
  const say = (row: number, message: string) => faults.set(row, faults.get(row) ?? message);
  for (const name of REQUIRED) {
    const nulls = alerts.columns.get(name)?.nulls;
    for (let row = 0; nulls && row < alerts.rows; row += 1) {
      if (nulls[row] === 1) say(row, `The field ${name} is missing.`);
    }
  }
  for (const name of ["jd", "ra", "dec"]) {
    for (const [row, value] of (alerts.columns.get(name)!.values as Float64Array).entries()) {
      if (!Number.isFinite(value)) say(row, `The field ${name} is ${value}, not a finite number.`);
      else if (name === "jd" && !isJd(value)) say(row, `The field jd is ${value}, which is no time.`);
      else if (name === "dec" && Math.abs(value) > 90) say(row, `The field dec is ${value}, beyond 90 degrees.`);
    }
  }
  for (const [row, value] of (alerts.columns.get("objectId")!.values as string[]).entries()) {
    if (value.trim() === "") say(row, "The field objectId is empty.");
    else if (value.length > MAX_ID_LENGTH) say(row, `The field objectId has ${value.length} characters.`);
  }
  return faults;
}

/** The columns with what follows from ra and dec, without nulls where none can be, and with the class still unknown. */
function withPositions(columns: ReadonlyMap<string, Column>): Map<string, Column> {
  const all = new Map(columns);
  for (const name of REQUIRED) {
    const column = all.get(name);
    if (column?.nulls) all.set(name, { ...column, nulls: null } as Column);
  }
  const ra = (all.get("ra")!.values as Float64Array).map(normaliseRa);
  const dec = all.get("dec")!.values as Float64Array;
  const rows = ra.length;
  const healpix = new BigUint64Array(rows);
  nestedPixels(ra, dec, healpix);
  const [galLon, galLat, eclLon, eclLat] = Array.from({ length: 4 }, () => new Float64Array(rows));
  for (let i = 0; i < rows; i += 1) {
    [galLon![i], galLat![i]] = galacticFromIcrs(ra[i]!, dec[i]!);
    [eclLon![i], eclLat![i]] = eclipticFromIcrs(ra[i]!, dec[i]!);
  }
  for (const [name, values] of Object.entries({ ra, galLon, galLat, eclLon, eclLat })) {
    all.set(name, { type: "Float64", values: values!, nulls: null });
  }
  all.set("healpix", { type: "UInt64", values: healpix, nulls: null });
  all.set("class", { type: "String", values: new Array<string>(rows).fill("unknown"), nulls: null });
  return all;
}
