// A stream of simulated alerts that does not end: a sky's packets, made once, sent again and again as other objects at
// other places. Used by the benchmarks of soak, load and scale.
import type { Survey } from "../domain/survey.js";
import { recordEncoder } from "../ingest/avro/write.js";
import { createRandom } from "../ingest/simulator/random.js";
import type { SimulatedAlert } from "../ingest/simulator/sky.js";
import { simulate } from "../ingest/simulator/write.js";
import { surveyModule } from "../ingest/surveys/index.js";

export interface PacketOptions {
  readonly seed: string;
  /** Alerts of the sky that is repeated. */
  readonly alerts: ReadonlyMap<Survey, number>;
  /** What is left of each cutout, bytes; null: all of it. */
  readonly cutoutBytes: number | null;
}

export interface StreamAlert {
  readonly survey: Survey;
  readonly candid: bigint;
  /** Body of the Avro record. */
  readonly body: Buffer;
}

export interface EndlessAlerts {
  next(): StreamAlert;
  /** Of the packets as they are sent. */
  readonly meanBytes: number;
}

/** Nights of the repeated sky: few, so that the numbers of exposures suffice for many repetitions. */
const NIGHTS = 10;
const END_JD = 2_461_000.5;
/** Each repetition of the sky is turned by so many degrees. */
const TURN = 1.618;
/** The simulated ZTF counts exposures of a night up to here. */
const EXPOSURES = 100_000;
/** Objects of one sky, as the simulator numbers them: in ZTF's letters, and in Rubin's ids. */
const [ZTF_SKY, LSST_SKY, SKIES] = [1_000_000, 10_000_000n, 5_760];

/** Where a packet says who and where it is. */
interface Place {
  readonly at: number;
  write(body: Buffer, at: number, round: number): void;
}

interface Template {
  readonly survey: Survey;
  readonly body: Buffer;
  readonly candid: bigint;
  /** What the candid grows by in each repetition. */
  readonly step: bigint;
  readonly places: readonly Place[];
}

/** The whole sky is made before it resolves: some 3 ms a packet. */
export function endlessAlerts({ seed, alerts, cutoutBytes }: PacketOptions): EndlessAlerts {
  const sky = simulate({ seed, nights: NIGHTS, endJd: END_JD, alerts });
  const exposures = 1 + Math.max(...sky.map(({ measurement }) => measurement.visit.exposure));
  const shifts: Readonly<Record<string, bigint>> = {
    candid: BigInt(exposures) * 10n ** 10n,
    diaSourceId: BigInt(exposures) * 100_000n,
    diaObjectId: LSST_SKY,
  };
  const encoders = new Map([...alerts.keys()].map((id) => [id, recordEncoder(surveyModule(id).simulated.schema)]));
  const templates = sky.map((alert) => template(alert, seed, cutoutBytes, shifts, encoders.get(alert.survey)!));
  const last = Math.min(SKIES, Math.floor(EXPOSURES / exposures));
  let sent = 0;
  return {
    next() {
      const { survey, body, candid, step, places } = templates[sent % templates.length]!;
      const round = Math.floor(sent / templates.length);
      if (round >= last) throw new Error(`The stream ends after ${sent} alerts: make its sky larger.`);
      sent += 1;
      if (round === 0) return { survey, candid, body };
      const again = Buffer.from(body);
      for (const place of places) place.write(again, place.at, round);
      return { survey, candid: candid + BigInt(round) * step, body: again };
    },
    meanBytes: Math.round(templates.reduce((sum, { body }) => sum + body.length, 0) / templates.length),
  };
}

function template(
  alert: SimulatedAlert,
  seed: string,
  cutoutBytes: number | null,
  shifts: Readonly<Record<string, bigint>>,
  encode: (record: Record<string, unknown>) => Buffer,
): Template {
  const { visit, index } = alert.measurement;
  const random = createRandom(`${seed}/${alert.survey}/${visit.exposure}/${index}`);
  const record = cut(surveyModule(alert.survey).simulated.packet(alert, random), cutoutBytes);
  const body = Buffer.from(encode(record));
  const places = new Map<string, Place[]>();
  for (const [name, value] of named(record)) {
    const key = `${name} ${value}`;
    if (!places.has(key)) places.set(key, placesOf(body, name, value, shifts));
  }
  const key = "candid" in record ? "candid" : "diaSourceId";
  const candid = record[key] as bigint;
  return { survey: alert.survey, body, candid, step: shifts[key]!, places: [...places.values()].flat() };
}

function cut(record: Record<string, unknown>, bytes: number | null): Record<string, unknown> {
  if (bytes === null) return record;
  const shorter = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return value.subarray(0, bytes);
    const stamp = value as { stampData: Uint8Array };
    return { ...stamp, stampData: stamp.stampData.subarray(0, bytes) };
  };
  const entries = Object.entries(record).map(([name, value]) => [
    name,
    name.startsWith("cutout") && value !== null ? shorter(value) : value,
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** Names and values of everything that becomes something else in each repetition. */
function* named(value: unknown): Generator<[string, bigint | number | string]> {
  if (Array.isArray(value)) for (const item of value) yield* named(item);
  else if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    for (const [name, field] of Object.entries(value)) {
      if (/^(candid|diaSourceId|diaObjectId)$/.test(name) && typeof field === "bigint") yield [name, field];
      else if (name === "ra" && typeof field === "number") yield [name, field];
      else if (name === "objectId" && typeof field === "string") yield [name, field];
      else yield* named(field);
    }
  }
}

function placesOf(
  body: Buffer,
  name: string,
  value: bigint | number | string,
  shifts: Readonly<Record<string, bigint>>,
): Place[] {
  if (typeof value === "bigint") {
    const shift = shifts[name]!;
    return all(body, varint(value)).map((at) => ({
      at,
      write(into, from, round) {
        const bytes = varint(value + BigInt(round) * shift);
        if (bytes.length !== varint(value).length) throw new Error(`${name} ${value} has no room to grow.`);
        bytes.copy(into, from);
      },
    }));
  }
  if (typeof value === "number") {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return all(body, bytes).map((at) => ({
      at,
      write: (into, from, round) => void into.writeDoubleLE((value + round * TURN) % 360, from),
    }));
  }
  return all(body, Buffer.from(value)).map((at) => ({
    at,
    write: (into, from, round) =>
      void into.write(`${value.slice(0, 5)}${letters(value.slice(5), round)}`, from, "latin1"),
  }));
}

/** The same object number in the sky that is `round` further on. */
function letters(text: string, round: number): string {
  let number = 0;
  for (const letter of text) number = number * 26 + letter.charCodeAt(0) - 97;
  number = (number + round * ZTF_SKY) % (SKIES * ZTF_SKY);
  let moved = "";
  for (const _ of text) {
    moved = String.fromCharCode(97 + (number % 26)) + moved;
    number = Math.floor(number / 26);
  }
  return moved;
}

function all(body: Buffer, bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = body.indexOf(bytes); at >= 0; at = body.indexOf(bytes, at + bytes.length)) found.push(at);
  return found;
}

/** Avro's long: zig-zag, seven bits a byte. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
