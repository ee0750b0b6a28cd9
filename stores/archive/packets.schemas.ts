// The writer schemas of packets that ClickHouse keeps. Called by packets.ts.
import { TocsinError } from "../../domain/errors.js";
import type { WriterSchema } from "../../domain/packet.js";
import { blockOf, strings, texts } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

const FINGERPRINT = /^[0-9a-f]{16}$/;

export class PacketSchemas {
  readonly #known = new Map<string, WriterSchema>();

  constructor(private readonly client: ArchiveClient) {}

  /** Resolved once the archive has them; asked once per schema and process. */
  async keep(schemas: readonly WriterSchema[]): Promise<void> {
    const fresh = new Map<string, WriterSchema>();
    for (const schema of schemas) {
      if (!FINGERPRINT.test(schema.fingerprint)) {
        const message = `A schema fingerprint must be 16 hex digits, found "${schema.fingerprint}".`;
        throw new TocsinError("BAD_ARGUMENT", message);
      }
      if (!this.#known.has(schema.fingerprint)) fresh.set(schema.fingerprint, schema);
    }
    if (fresh.size === 0) return;
    const all = [...fresh.values()];
    await this.client.insert(
      "packet_schemas",
      blockOf(all.length, {
        fingerprint: texts(all.map(({ fingerprint }) => fingerprint)),
        text: texts(all.map(({ text }) => text)),
      }),
    );
    for (const schema of all) this.#known.set(schema.fingerprint, schema);
  }

  async get(fingerprint: string): Promise<WriterSchema> {
    const known = this.#known.get(fingerprint);
    if (known !== undefined) return known;
    const block = await this.client.query(
      "SELECT text FROM packet_schemas WHERE fingerprint = {fingerprint:String} LIMIT 1",
      { fingerprint },
    );
    const [text] = strings(block, "text");
    if (text === undefined) throw new TocsinError("DATA_DAMAGED", `The packet schema ${fingerprint} is missing.`);
    const schema = { fingerprint, text };
    this.#known.set(fingerprint, schema);
    return schema;
  }
}
