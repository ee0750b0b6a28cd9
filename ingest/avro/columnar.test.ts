// Every field of every real packet, by the generated readers and by readRecord, against fastavro.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Packet } from "../../domain/packet.js";
import { python } from "../../test/python.js";
import { SHARED } from "../../test/shared.js";
import { Tables } from "./columnar.js";
import { schemaLookup } from "./confluent.js";
import { readContainer } from "./container.js";
import { compileReader } from "./generate.js";
import { readRecord } from "./record.js";
import { parseSchema } from "./schema.js";
import { schemasInFolder } from "./schemafolder.js";
import {
  avroFiles,
  CANONICAL,
  canonical,
  compared,
  fastavroRecords,
  hasFastavro,
  wholeLayout,
} from "./truth.fixture.js";

const RUBIN = join(SHARED, "data/lsst/7912941781254298.avro");

function expectEqual(packet: Packet, truth: Record<string, unknown>): void {
  const schema = parseSchema(packet.schema.text);
  expect(canonical(readRecord(schema, packet.bytes))).toEqual(truth);
  const whole = wholeLayout(schema);
  expect(whole.fields.length).toBeGreaterThan(10);
  // All fields; and some of them, so that all others are skipped in long and short runs.
  for (const step of [1, 3, 11, 1000]) {
    const some = <T>(list: readonly T[]) => list.filter((_, i) => i % step === step - 1);
    const lists = whole.lists.map((list) => ({ ...list, fields: some(list.fields) }));
    const layout = { fields: some(whole.fields), lists };
    const tables = new Tables(layout, 1);
    expect(tables.append(compileReader(schema, layout), packet.bytes)).toBeNull();
    const both = compared(layout, tables.finish(), 0, truth);
    expect(both.columns).toEqual(both.truth);
  }
}

describe.skipIf(!hasFastavro)("all fields of the real packets (needs Python with fastavro)", () => {
  const files = ["ztf", "other", "lsst"].flatMap(avroFiles).filter((path) => path !== RUBIN);
  test("container files", () => {
    const truth = fastavroRecords(files);
    for (const [i, path] of files.entries()) {
      const packets = [...readContainer(readFileSync(path), path)] as Packet[];
      expect(packets.length).toBe(truth[i]!.length);
      for (const [k, packet] of packets.entries()) expectEqual(packet, truth[i]![k]!);
    }
    expect(truth.flat().length).toBe(36 + 3 + 4);
  });

  test("the framed Rubin packet", async () => {
    const lookup = schemaLookup(schemasInFolder(join(SHARED, "data/lsst")));
    const packet = await lookup.packet(readFileSync(RUBIN), { source: RUBIN, position: "record 1" });
    const truth = python<Record<string, unknown>>(
      `${CANONICAL}
from fastavro.schema import load_schema
schema = load_schema(input['schema'])
body = open(input['packet'], 'rb').read()[5:]
print(json.dumps(canonical(schema, fastavro.schemaless_reader(io.BytesIO(body), schema), {})))`,
      { schema: join(SHARED, "data/lsst/v9_0/lsst.v9_0.alert.avsc"), packet: RUBIN },
    );
    expectEqual(packet as Packet, truth);
    expect(truth.diaSourceId).toBe("7912941781254298");
  });
});
