// avsc set up for alert packets: 64-bit integers as bigint, schemas stripped of the defaults that it refuses.
// Used by tests and by bench/decode.bench.ts.
import avro from "avsc";

/** long as bigint, read and written by Node's own 64-bit view. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

/** Reads and writes record bodies of the schema. */
export function avscType(schemaText: string): avro.Type {
  const schema = JSON.parse(schemaText, (key, value: unknown) =>
    key === "default" || key === "logicalType" ? undefined : value,
  ) as avro.Schema;
  return avro.Type.forSchema(schema, { registry: { long }, wrapUnions: "never" });
}
