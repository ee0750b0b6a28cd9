// What stands before an Avro body and tells its schema: Confluent's five bytes where a registry takes ours, else Avro's
// own single-object header of ten. Used by the publisher.
import { TocsinError } from "../../domain/errors.js";
import { canonicalSchema, HIT_SCHEMA_TEXT } from "./schema.js";

const REGISTRY_PATIENCE_MS = 5_000;
/** CRC-64-AVRO of the empty text: Avro specification, "Schema Fingerprints". */
const EMPTY = 0xc15d213aa4d7a795n;

/** The 64-bit Rabin fingerprint of a text, as the Avro specification defines it. */
export function avroFingerprint(text: string): bigint {
  let fingerprint = EMPTY;
  for (const byte of Buffer.from(text)) {
    let low = (fingerprint ^ BigInt(byte)) & 0xffn;
    for (let bit = 0; bit < 8; bit += 1) low = (low >> 1n) ^ (low & 1n ? EMPTY : 0n);
    fingerprint = (fingerprint >> 8n) ^ low;
  }
  return fingerprint;
}

/** Avro's single-object encoding: C3 01, then the fingerprint of the canonical schema, little-endian. */
export function singleObjectHeader(): Buffer {
  const header = Buffer.from("c3010000000000000000", "hex");
  header.writeBigUInt64LE(avroFingerprint(canonicalSchema()), 2);
  return header;
}

/**
 * The header of messages of this topic. A registry that can only be read (a survey's own) refuses the schema, and the
 * single-object header is taken. Throws ENGINE_UNAVAILABLE while the registry does not answer: a topic's framing must not
 * depend on its health.
 */
export async function avroHeader(topic: string, registryUrl: string | null): Promise<Buffer> {
  const id = registryUrl === null ? null : await registeredId(topic, registryUrl);
  if (id === null) return singleObjectHeader();
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return header;
}

/** The schema's id in the registry; null where we may not register. */
async function registeredId(topic: string, url: string): Promise<number | null> {
  const unavailable = (cause: unknown) =>
    new TocsinError("ENGINE_UNAVAILABLE", `The schema registry at ${url} does not take the schema of hits: ${cause}`, {
      engine: "registry",
      remedy: "Hits wait in the archive and are published when it does.",
    });
  let response: Response;
  try {
    response = await fetch(`${url.replace(/\/+$/, "")}/subjects/${topic}-value/versions`, {
      method: "POST",
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      body: JSON.stringify({ schema: HIT_SCHEMA_TEXT }),
      signal: AbortSignal.timeout(REGISTRY_PATIENCE_MS),
    });
    if ([401, 403, 404, 405].includes(response.status)) return null;
    if (response.ok) return ((await response.json()) as { id: number }).id;
  } catch (error) {
    throw unavailable((error as Error).message);
  }
  throw unavailable(`HTTP ${response.status}`);
}
