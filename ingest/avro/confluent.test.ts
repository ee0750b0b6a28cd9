// Framed packets: schemas out of Rubin's folders and out of a registry over real HTTP.
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { TocsinError } from "../../domain/errors.js";
import type { Packet } from "../../domain/packet.js";
import { SHARED } from "../../test/shared.js";
import { looksFramed, schemaLookup } from "./confluent.js";
import { readContainer } from "./container.js";
import { readRecord } from "./record.js";
import { schemasInRegistry } from "./registry.js";
import { parseSchema } from "./schema.js";
import { joined, schemasInFolder } from "./schemafolder.js";
import { avroFiles } from "./truth.fixture.js";

const folder = join(SHARED, "data/lsst");
const origin = { source: "alerts", position: "partition 0 offset 1" };
const framed = readFileSync(join(folder, "7912941781254298.avro"));

describe("a folder of schemas", () => {
  test("every version there, each reading its sample as the sample's own schema does", async () => {
    const byId = schemasInFolder(folder);
    for (const [id, version] of [
      [704, "v7_4"],
      [900, "v9_0"],
      [1000, "v10_0"],
      [1100, "v11_0"],
    ] as const) {
      const path = avroFiles(`lsst/${version}`)[0]!;
      const [packet] = [...readContainer(readFileSync(path), path)] as [Packet];
      const schema = await byId(id);
      const found = readRecord(parseSchema(schema!.text), packet.bytes);
      expect(found).toEqual(readRecord(parseSchema(packet.schema.text), packet.bytes));
      expect(await byId(id)).toBe(schema);
    }
    expect(await schemasInFolder(join(folder, "v9_0"))(900)).not.toBeNull();
  });

  test("an unknown id, an id that looks like a path, no folder at all", async () => {
    expect(await schemasInFolder(folder)(905)).toBeNull();
    expect(await schemasInFolder(folder)(2 ** 32 - 1)).toBeNull();
    expect(await schemasInFolder(join(folder, "nowhere"))(900)).toBeNull();
    const bytes = Buffer.from(framed);
    bytes.writeUInt32BE(12345, 1);
    const letter = await schemaLookup(schemasInFolder(folder)).packet(bytes, origin);
    expect(letter).toMatchObject({
      reason: "UNKNOWN_SCHEMA",
      message: "No schema is known for the id 12345.",
      origin,
    });
  });

  test("frames: too short, other bytes, empty", async () => {
    const lookup = schemaLookup(schemasInFolder(folder));
    expect(looksFramed(framed)).toBe(true);
    expect(await lookup.packet(Buffer.alloc(0), origin)).toMatchObject({ reason: "EMPTY" });
    expect(await lookup.packet(Buffer.from([0, 0, 0]), origin)).toMatchObject({ reason: "NOT_AVRO" });
    expect(await lookup.packet(Buffer.from("Obj\x01 and so on"), origin)).toMatchObject({ reason: "NOT_AVRO" });
  });

  test("schemas that name each other in a ring have no root", () => {
    const type = (name: string, other: string) => ({ name, type: "record", fields: [{ name: "x", type: other }] });
    expect(() => joined([type("a", "b"), type("b", "a")])).toThrow(/used by another/);
  });
});

describe("a registry", () => {
  let server: Server;
  let asked: string[] = [];
  let logins: (string | undefined)[] = [];
  afterEach(() => new Promise((done) => server.close(done)));

  async function registry(answer: (url: string, count: number) => [number, string]): Promise<string> {
    asked = [];
    logins = [];
    server = createServer((request, response) => {
      asked.push(request.url!);
      logins.push(request.headers.authorization);
      const [status, body] = answer(request.url!, asked.length);
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/registry`;
  }
  const schemaJson = async () => JSON.stringify({ schema: (await schemasInFolder(folder)(900))!.text });

  test("asked once an id, also when it fails at first and when asked for at the same time", async () => {
    const body = await schemaJson();
    const byId = schemasInRegistry(await registry((_, count) => (count === 1 ? [503, "{}"] : [200, body])));
    const packets = await Promise.all([1, 2, 3].map(() => schemaLookup(byId).packet(framed, origin)));
    await byId(900);
    expect(asked).toEqual(["/registry/schemas/ids/900", "/registry/schemas/ids/900"]);
    for (const packet of packets as Packet[]) {
      expect(readRecord(parseSchema(packet.schema.text), packet.bytes).diaSourceId).toBe("7912941781254298");
    }
  });

  test("unknown ids are remembered, and looked up in the folder", async () => {
    const url = await registry(() => [404, '{"error_code":40403}']);
    const byId = schemasInRegistry(url, schemasInFolder(folder));
    expect(await byId(900)).not.toBeNull();
    expect(await byId(77)).toBeNull();
    expect(await byId(77)).toBeNull();
    expect(asked).toHaveLength(2);
  });

  test("while it does not answer: the folder, else an exception and no letter", async () => {
    const url = await registry(() => [500, ""]);
    expect(await schemasInRegistry(url, schemasInFolder(folder))(900)).not.toBeNull();
    await expect(schemasInRegistry(url)(900)).rejects.toThrow(TocsinError);
  });

  test("while it does not answer the folder's word is taken for a while: not every packet waits", async () => {
    const url = await registry(() => [500, ""]);
    const byId = schemasInRegistry(url, schemasInFolder(folder));
    const schema = await byId(900);
    const questions = asked.length;
    expect(await byId(900)).toBe(schema);
    expect(asked).toHaveLength(questions);
  });

  test("a login in the address goes into the header, and nowhere else", async () => {
    const body = await schemaJson();
    const url = new URL(await registry(() => [200, body]));
    url.username = "alerts";
    url.password = "p@ss:word";
    expect(await schemasInRegistry(url.href)(900)).not.toBeNull();
    expect(asked).toEqual(["/registry/schemas/ids/900"]);
    expect(logins).toEqual([`Basic ${Buffer.from("alerts:p@ss:word").toString("base64")}`]);
  });

  test("an answer without end or without schema", async () => {
    const url = await registry((path) => [200, path.endsWith("1") ? "x".repeat(5_000_000) : "{}"]);
    await expect(schemasInRegistry(url)(1)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await expect(schemasInRegistry(url)(2)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  });
});
