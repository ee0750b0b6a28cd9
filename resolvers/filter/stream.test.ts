// The stream of a filter through the API, over a real graph: switched on and off, its topic, and who has no Kafka.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { graphql } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fieldsOfSurveys } from "../../filters/fields.js";
import { createFilterLanguage } from "../../filters/language.js";
import { ownerViewer } from "../../server/auth.js";
import { openGrafeo } from "../../stores/graph/grafeo.js";
import type { Graph } from "../../stores/graph/graph.js";
import { createGraphStores, type GraphStores } from "../../stores/graph/stores.js";
import { buildTocsinSchema } from "../build.js";
import { createContext } from "../context.js";
import type { Services } from "../services.js";

const ZTF = {
  ...{ id: "ZTF", title: "ZTF", fields: [], bands: ["g"], publicProgramids: [1] },
  ...{ counterpartRadiusArcsec: 1.5, nightOffsetHours: 0 },
  ...{ pointColumns: [], pointFields: { detections: [], nonDetections: [], forced: [] } },
};
const schema = buildTocsinSchema([ZTF]);

interface Shown {
  readonly id: string;
  readonly stream: { readonly format: string; readonly topic: string } | null;
}

describe("stream of a filter", () => {
  let dir: string;
  let graph: Graph;
  let stores: GraphStores;
  let lastSeq = 41n;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "tocsin-stream-"));
    graph = openGrafeo(join(dir, "graph"));
    stores = await createGraphStores(graph);
  });
  afterAll(async () => {
    await graph.close();
    rmSync(dir, { recursive: true });
  });

  async function run(text: string, streams = true, shared = true): Promise<Shown> {
    const marks = [{ kind: "AREA", name: "field", isShared: shared }];
    const areas = marks.map(({ name }) => ({
      ...{ name: `area.${name}`, type: "Bool" as const, nullable: false, unit: null, description: "" },
    }));
    const source = { operands: () => ({ values: areas, lists: [] }), onChange: () => () => {} };
    const desk = {
      hidden: () => new Set(),
      list: (_: unknown, kind: string) => marks.filter((mark) => mark.kind === kind),
    };
    const services = {
      stores: { ...stores, hits: { lastSeq: async () => lastSeq } },
      language: createFilterLanguage(fieldsOfSurveys([ZTF], [source])),
      marks: { desk },
      design: {},
      streams,
    } as unknown as Services;
    const contextValue = createContext(services, ownerViewer([ZTF]));
    const result = await graphql({
      schema,
      source: `mutation { f: ${text} { id stream { format topic } } }`,
      contextValue,
    });
    if (result.errors) throw result.errors[0]!.originalError ?? result.errors[0];
    return result.data!.f as Shown;
  }

  it("is there when asked for, keeps its topic when the filter is renamed, and ends by null", async () => {
    const plain = await run(`createFilter(input: {name: "a", survey: ZTF, where: "1 = 1"})`);
    expect(plain.stream).toBeNull();
    const made = await run(`createFilter(input: {name: "b", survey: ZTF, where: "1 = 1", stream: {format: AVRO}})`);
    const { id } = made;
    expect(made.stream).toEqual({ format: "AVRO", topic: `tocsin.hits.${id}.avro` });
    expect((await stores.filters.get(id))!.stream!.after).toBe(41n);
    lastSeq = 50n;
    const renamed = await run(`updateFilter(id: "${id}", input: {name: "c", where: "1 < 2"})`);
    expect(renamed.stream).toEqual(made.stream);
    expect((await stores.filters.get(id))!.stream!.after).toBe(41n);
    const other = await run(`updateFilter(id: "${id}", input: {stream: {format: JSON}})`);
    expect(other.stream).toEqual({ format: "JSON", topic: `tocsin.hits.${id}.json` });
    expect((await stores.filters.get(id))!.stream!.after).toBe(50n);
    expect((await run(`updateFilter(id: "${id}", input: {stream: null})`)).stream).toBeNull();
  });

  it("is refused where what it reads is private: a topic's readers are not known", async () => {
    const create = (where: string, annotation = "1") =>
      `createFilter(input: {name: "p", survey: ZTF, where: "${where}", active: false, stream: {format: JSON},
        annotations: [{name: "a", expression: "${annotation}"}]})`;
    const refused = { code: "BAD_ARGUMENT", message: expect.stringContaining("area.field") };
    await expect(run(create("area.field"), true, false)).rejects.toMatchObject(refused);
    await expect(run(create("1 = 1", "area.field"), true, false)).rejects.toMatchObject(refused);
    const { id } = await run(create("area.field"));
    const { id: other } = await run(create("1 = 1"));
    const update = (filter: string, input: string) =>
      run(`updateFilter(id: "${filter}", input: {${input}})`, true, false);
    await expect(update(other, `where: "area.field"`)).rejects.toMatchObject(refused);
    await expect(update(id, `stream: {format: AVRO}`)).rejects.toMatchObject(refused);
    // What was shared when it began may be changed and ended.
    expect((await update(id, `name: "q"`)).stream).not.toBeNull();
    expect((await update(id, `stream: null, where: "area.field and 1 = 1"`)).stream).toBeNull();
  });

  it("is refused where the service has no Kafka, but may be ended", async () => {
    const create = `createFilter(input: {name: "d", survey: ZTF, where: "1 = 1", stream: {format: JSON}})`;
    await expect(run(create, false)).rejects.toMatchObject({
      code: "NO_KAFKA",
      remedy: expect.stringContaining("KAFKA_BROKERS") as string,
    });
    const { id } = await run(create);
    await expect(run(`updateFilter(id: "${id}", input: {stream: {format: AVRO}})`, false)).rejects.toMatchObject({
      code: "NO_KAFKA",
    });
    expect((await run(`updateFilter(id: "${id}", input: {stream: null})`, false)).stream).toBeNull();
  });
});
