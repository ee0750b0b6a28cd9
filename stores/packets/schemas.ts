// The writer schemas of all packets, one file each: schemas/<fingerprint>.json. Called by segments.ts.
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { TocsinError } from "../../domain/errors.js";
import type { WriterSchema } from "../../domain/packet.js";

export class SchemaFiles {
  readonly #dir: string;
  readonly #known = new Map<string, WriterSchema>();

  constructor(dir: string) {
    this.#dir = join(dir, "schemas");
  }

  /** Resolved once the schema's file is on the disk; done once per schema and process. */
  async keep(schema: WriterSchema): Promise<void> {
    if (this.#known.has(schema.fingerprint)) return;
    await mkdir(this.#dir, { recursive: true });
    const path = this.#path(schema.fingerprint);
    // Aside and renamed: a crash leaves the whole file or none.
    const file = await open(`${path}.new`, "w");
    try {
      await file.writeFile(schema.text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    this.#known.set(schema.fingerprint, schema);
  }

  async get(fingerprint: string): Promise<WriterSchema> {
    const known = this.#known.get(fingerprint);
    if (known) return known;
    const text = await readFile(this.#path(fingerprint), "utf8").catch((cause: unknown) => {
      throw new TocsinError("DATA_DAMAGED", `The packet schema ${fingerprint} cannot be read.`, { cause });
    });
    const schema = { fingerprint, text };
    this.#known.set(fingerprint, schema);
    return schema;
  }

  #path(fingerprint: string): string {
    return join(this.#dir, `${fingerprint}.json`);
  }
}
