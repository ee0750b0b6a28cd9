// Writer schemas by id out of a schema registry (GET /schemas/ids/N). Called by cli/, which hands them to ingest/sources.
import { LRUCache } from "lru-cache";
import pRetry, { AbortError } from "p-retry";
import { TocsinError } from "../../domain/errors.js";
import type { WriterSchema } from "../../domain/packet.js";
import type { SchemaById } from "./confluent.js";
import { MAX_SCHEMA_BYTES, writerSchema } from "./schema.js";

const TIMEOUT_MS = 5_000;
const RETRIES = 3;
/** Hostile ids are asked for once a minute, not once a packet. */
const UNKNOWN_FOR_MS = 60_000;
/** So long the fallback's word is taken while the registry does not answer, or each packet would wait for it. */
const FALLBACK_FOR_MS = 60_000;

/**
 * Schemas are cached for good (an id never changes its schema), unknown ids for a minute. While the registry does not
 * answer, `fallback` is asked; where that does not know either, ENGINE_UNAVAILABLE is thrown: the packet is not at fault.
 * User and password in the URL are sent as basic authentication.
 */
export function schemasInRegistry(url: string, fallback?: SchemaById): SchemaById {
  const known = new LRUCache<number, WriterSchema>({ max: 1_000 });
  const unknown = new LRUCache<number, true>({ max: 10_000, ttl: UNKNOWN_FOR_MS });
  const asking = new Map<number, Promise<WriterSchema | null>>();

  async function ask(id: number): Promise<WriterSchema | null> {
    try {
      const text = await pRetry(() => fetchSchema(url, id), { retries: RETRIES, minTimeout: 100, maxTimeout: 1_000 });
      const schema = text === null ? ((await fallback?.(id)) ?? null) : writerSchema(text);
      if (schema === null) unknown.set(id, true);
      else known.set(id, schema);
      return schema;
    } catch (error) {
      const schema = (await fallback?.(id)) ?? null;
      if (schema !== null) {
        known.set(id, schema, { ttl: FALLBACK_FOR_MS });
        return schema;
      }
      throw new TocsinError("ENGINE_UNAVAILABLE", `The schema registry ${new URL(url).host} does not answer.`, {
        cause: error,
        engine: "registry",
      });
    }
  }

  return (id) => {
    const schema = known.get(id);
    if (schema !== undefined) return Promise.resolve(schema);
    if (unknown.has(id)) return Promise.resolve(null);
    const before = asking.get(id);
    if (before !== undefined) return before;
    const answer = ask(id).finally(() => asking.delete(id));
    asking.set(id, answer);
    return answer;
  };
}

/** The schema's text; null where the registry knows no such id. */
async function fetchSchema(url: string, id: number): Promise<string | null> {
  const address = new URL(url.endsWith("/") ? url : `${url}/`);
  const login = address.username === "" ? {} : { authorization: basic(address) };
  address.username = "";
  address.password = "";
  const response = await fetch(new URL(`schemas/ids/${id}`, address), {
    headers: { accept: "application/vnd.schemaregistry.v1+json", ...login },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status === 404) {
    await response.body?.cancel();
    return null;
  }
  if (!response.ok) {
    await response.body?.cancel();
    const error = new Error(`the registry answered ${response.status}`);
    throw response.status < 500 && response.status !== 429 ? new AbortError(error) : error;
  }
  const { schema } = JSON.parse(await boundedText(response)) as { schema?: unknown };
  if (typeof schema !== "string") throw new AbortError("the registry's answer holds no schema");
  return schema;
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).length;
    // As text inside JSON a schema takes up to twice its size.
    if (bytes > 2 * MAX_SCHEMA_BYTES) throw new AbortError("the registry's answer is too large");
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** fetch refuses addresses with a login in them. */
function basic({ username, password }: URL): string {
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(login).toString("base64")}`;
}
