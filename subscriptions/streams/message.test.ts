// Messages and their framing: what fastavro makes of them, and the registry's answers. Python: TOCSIN_PYTHON.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { DeliveredHit } from "../../domain/filter.js";
import { MemoryHits } from "../../test/memoryhits.js";
import { python, pythonHas } from "../../test/python.js";
import { avroFingerprint, avroHeader, singleObjectHeader } from "./framing.js";
import { hitMessage } from "./message.js";
import { HIT_SCHEMA_TEXT } from "./schema.js";
import { hitTopic, publisherId } from "./topic.js";

const PUBLISHED = resolve(import.meta.dirname, "../../docs/hits.avsc");
const [usual] = new MemoryHits().store({ annotations: '{"mag":18.5,"id":"9007199254740993","real":true,"none":null}' });
/** Ends of ranges, and nothing where nothing may be. */
const extreme: DeliveredHit = {
  ...usual!,
  annotations: null,
  passedAt: 0,
  alert: {
    ...usual!.alert,
    candid: 2n ** 63n - 1n,
    objectId: "Ω".repeat(40),
    magnitude: null,
    magnitudeError: null,
    flux: -1e-300,
    fluxError: null,
    isPositive: false,
    class: null,
    solarSystemName: "2026 AB",
  },
};

describe("message of a hit", () => {
  it("is keyed by object and carries cursor and ids as headers", () => {
    const { key, headers, timestamp } = hitMessage(usual!, "a cursor", null);
    expect(key).toBe("ZTF:ZTF25aa1");
    expect(headers).toEqual({
      cursor: "a cursor",
      filterId: "f1",
      filterVersion: "1",
      survey: "ZTF",
      candid: "2459000000000000001",
    });
    expect(timestamp).toBe(String(usual!.passedAt));
  });

  it("shows as JSON what the API shows", () => {
    const { value } = hitMessage({ ...extreme, annotations: '{"mag":null}' }, "c", null);
    expect(JSON.parse(value as string)).toMatchObject({
      passedAt: "1970-01-01T00:00:00.000Z",
      annotations: { mag: null },
      alert: { candid: "9223372036854775807", magnitude: null, time: "2023-02-25T00:01:26.400Z", flux: -1e-300 },
    });
  });

  it.skipIf(!pythonHas("fastavro"))("is read by fastavro, to the digit (skipped without it: TOCSIN_PYTHON)", () => {
    const values = [usual!, extreme].map((hit) => hitMessage(hit, "c", singleObjectHeader()).value as Buffer);
    const [fingerprint, hits] = python<[string, Record<string, unknown>[]]>(
      `
import base64, io, fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form
schema = fastavro.parse_schema(input["schema"])
hits = []
for text in input["values"]:
    body = io.BytesIO(base64.b64decode(text)[10:])
    hit = fastavro.schemaless_reader(body, schema)
    assert body.read() == b""
    hit["passedAt"] = round(hit["passedAt"].timestamp() * 1000)
    hit["alert"]["candid"] = str(hit["alert"]["candid"])
    hits.append(hit)
print(json.dumps([fingerprint(to_parsing_canonical_form(input["schema"]), "CRC-64-AVRO"), hits]))`,
      { schema: JSON.parse(HIT_SCHEMA_TEXT) as unknown, values: values.map((value) => value.toString("base64")) },
    );
    expect(singleObjectHeader().toString("hex")).toBe(`c301${fingerprint}`);
    const due = [usual!, extreme].map(({ filterId, filterVersion, passedAt, annotations, alert }) => ({
      ...{ cursor: "c", filterId, filterVersion, passedAt },
      annotations: annotations === null ? null : (JSON.parse(annotations) as unknown),
      alert: { ...alert, candid: alert.candid.toString() },
    }));
    expect(hits).toEqual(due);
  });

  it("has a schema that is published as it is (TOCSIN_UPDATE_DOCS=1 writes it)", () => {
    if (process.env.TOCSIN_UPDATE_DOCS !== undefined) writeFileSync(PUBLISHED, `${HIT_SCHEMA_TEXT}\n`);
    expect(readFileSync(PUBLISHED, "utf8")).toBe(`${HIT_SCHEMA_TEXT}\n`);
  });

  it("goes to a topic whose name Kafka takes", () => {
    const topic = hitTopic("0b0e3b4e-5ab0-4f0c-9d3e-3f1f0c1c2d3e", "AVRO");
    expect(topic).toBe("tocsin.hits.0b0e3b4e-5ab0-4f0c-9d3e-3f1f0c1c2d3e.avro");
    expect(topic).toMatch(/^[a-zA-Z0-9._-]{1,249}$/);
    const key = Buffer.from("sixteen secret b");
    expect(publisherId(key)).toBe(publisherId(Uint8Array.from(key)));
    expect(publisherId(key)).not.toContain(key.toString("hex").slice(0, 8));
  });
});

describe("framing", () => {
  let registry: Server | undefined;
  afterEach(() => registry?.close());

  async function answering(status: number, body: unknown): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    registry = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        asked.push(`${request.method} ${request.url}`, (JSON.parse(text) as { schema: string }).schema);
        response.writeHead(status).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((listening) => registry!.listen(0, "127.0.0.1", listening));
    return { url: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`, asked };
  }

  it("has the fingerprint of the specification's algorithm", () => {
    // fastavro's, of the canonical form of "int".
    expect(avroFingerprint('"int"').toString(16)).toBe("7275d51a3f395c8f");
  });

  it("is Confluent's where the registry takes the schema", async () => {
    const { url, asked } = await answering(200, { id: 70_000 });
    expect((await avroHeader("t", url)).toString("hex")).toBe("0000011170");
    expect(asked).toEqual(["POST /subjects/t-value/versions", HIT_SCHEMA_TEXT]);
  });

  it.each([401, 403, 404, 405])(
    "is Avro's own where the registry refuses with %i, or there is none",
    async (status) => {
      expect(await avroHeader("t", null)).toEqual(singleObjectHeader());
      expect(await avroHeader("t", (await answering(status, {})).url)).toEqual(singleObjectHeader());
    },
  );

  it("waits for a registry that does not answer", async () => {
    const { url } = await answering(503, {});
    await expect(avroHeader("t", url)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await expect(avroHeader("t", "http://127.0.0.1:1")).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  });
});
