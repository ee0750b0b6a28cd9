// The published Avro schema of a hit, and bodies by it. Used by message.ts and by server/streams.ts, which serves it.
import avro from "avsc";
import type { DeliveredHit } from "../../domain/filter.js";

const optional = (type: string) => ["null", type];

/**
 * Fields are only ever added, with a default: a reader of an older schema goes on. 64-bit ids are long, or text where the
 * survey's own are text; times of alerts are Julian dates (UTC), fluxes nJy, magnitudes AB, places ICRS degrees.
 */
const HIT_SCHEMA = {
  type: "record",
  name: "Hit",
  namespace: "tocsin",
  doc: "An alert that passed a filter.",
  fields: [
    {
      name: "cursor",
      type: "string",
      doc: "Pass it as `after` to the API's hits or filterHits to go on behind this hit.",
    },
    { name: "filterId", type: "string" },
    { name: "filterVersion", type: "int", doc: "Number of the filter's version that made the hit." },
    { name: "passedAt", type: { type: "long", logicalType: "timestamp-millis" } },
    {
      name: "annotations",
      type: ["null", { type: "map", values: ["null", "boolean", "double", "string"] }],
      doc: "The filter's annotations by name, 64-bit ids as text; null where the filter has none.",
    },
    {
      name: "alert",
      type: {
        type: "record",
        name: "Alert",
        fields: [
          { name: "survey", type: "string" },
          { name: "candid", type: "long", doc: "The survey's 64-bit id of this alert." },
          { name: "objectId", type: "string" },
          { name: "jd", type: "double", doc: "Time of the exposure, Julian date, UTC." },
          { name: "ra", type: "double", doc: "ICRS, degrees." },
          { name: "dec", type: "double", doc: "ICRS, degrees." },
          { name: "band", type: "string" },
          { name: "magnitude", type: optional("double"), doc: "AB magnitude of the absolute difference flux." },
          { name: "magnitudeError", type: optional("double"), doc: "1 sigma." },
          { name: "flux", type: optional("double"), doc: "Difference flux with sign, nJy." },
          { name: "fluxError", type: optional("double"), doc: "1 sigma, nJy." },
          { name: "isPositive", type: "boolean", doc: "Whether the difference is brighter than the reference." },
          { name: "class", type: optional("string"), doc: "solar-system, stellar, hosted, hostless or unknown." },
          { name: "solarSystemName", type: optional("string"), doc: "Designation as the survey names it." },
          { name: "programid", type: "int", doc: "Rights of the packet: of a public programme, always." },
        ],
      },
    },
  ],
} as const;

/** avsc reads and writes long as a JavaScript number unless told otherwise: ids would lose digits. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer(value: bigint) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => (a < b ? -1 : Number(a > b)),
});

const isLong = (schema: unknown): boolean =>
  schema === "long" || (schema as { type?: unknown } | null)?.type === "long";
const type = avro.Type.forSchema(HIT_SCHEMA as unknown as avro.Schema, {
  typeHook: (schema) => (isLong(schema) ? long : undefined),
});

/** The bare body of a hit, without any framing. */
export function hitBody(hit: DeliveredHit, cursor: string): Buffer {
  const { filterId, filterVersion, alert } = hit;
  const passedAt = BigInt(hit.passedAt);
  const annotations: unknown = hit.annotations === null ? null : JSON.parse(hit.annotations);
  return type.toBuffer({ cursor, filterId, filterVersion, passedAt, annotations, alert });
}

/** The schema as the registry and the world get it. */
export const HIT_SCHEMA_TEXT = JSON.stringify(HIT_SCHEMA, null, 2);

/** In Avro's canonical form, of which a fingerprint is taken. */
export const canonicalSchema = (): string => JSON.stringify(type.schema());
