// Every scalar field of the real ZTF packets and of their histories, against ClickHouse's own Avro reader.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Column } from "../../domain/columns.js";
import type { Packet } from "../../domain/packet.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { Tables } from "./columnar.js";
import { readContainer } from "./container.js";
import { compileReader } from "./generate.js";
import { parseSchema } from "./schema.js";
import { avroFiles, wholeLayout } from "./truth.fixture.js";
import { writeContainer } from "./write.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(() => archive.stop());

/** ClickHouse refuses defaults that are not of a union's first branch; reading needs none. */
const withoutDefaults = (text: string): string =>
  JSON.stringify(JSON.parse(text, (key, value: unknown) => (key === "default" ? undefined : value)));

async function insertAvro(table: string, file: Uint8Array): Promise<void> {
  const query = `INSERT INTO ${archive.client.database}.${table} FORMAT Avro`;
  const response = await fetch(`${archive.url}/?query=${encodeURIComponent(query)}`, {
    method: "POST",
    headers: { "X-ClickHouse-User": archive.user, "X-ClickHouse-Key": archive.password },
    body: Buffer.from(file),
  });
  expect([response.status, await response.text()]).toEqual([200, ""]);
}

/** Cells as text that tells NaN, null and every bit of a number apart. */
const cells = ({ values, nulls, type }: Column): string[] =>
  Array.from(values as ArrayLike<unknown>, (value, i) =>
    nulls?.[i] === 1 ? "null" : type === "Bool" ? String(Number(value)) : String(value),
  );

for (const [i, folder] of ["ztf/20200202", "ztf/20231012"].entries()) {
  test(`${folder}: alerts, prv_candidates and fp_hists`, async () => {
    const packets = avroFiles(folder).flatMap((path) => [...readContainer(readFileSync(path), path)]) as Packet[];
    const { text } = packets[0]!.schema;
    expect(new Set(packets.map(({ schema }) => schema.text)).size).toBe(1);
    const file = writeContainer(
      withoutDefaults(text),
      packets.map(({ bytes }) => bytes),
    );

    const schema = parseSchema(text);
    const { fields, lists } = wholeLayout(schema);
    // ClickHouse does not look into records that may be missing, as the cutouts are.
    const layout = { fields: fields.filter(({ path }) => !path.startsWith("cutout")), lists };
    const tables = new Tables(layout, packets.length);
    const reader = compileReader(schema, layout);
    for (const { bytes } of packets) expect(tables.append(reader, bytes)).toBeNull();
    const decoded = tables.finish();

    const scalar = layout.fields.map(({ path, type }) => `\`${path}\` Nullable(${type})`);
    const arrays = lists.map((list) => {
      const parts = list.fields.map((field) => `${field.path} Nullable(${field.type})`);
      return `${list.path} Array(Tuple(${parts.join(", ")}))`;
    });
    await archive.client.command(
      `CREATE TABLE truth${i} (${[...scalar, ...arrays].join(", ")}) ENGINE = MergeTree ORDER BY tuple() SETTINGS allow_nullable_key = 1`,
    );
    await insertAvro(`truth${i}`, file);

    const names = layout.fields.map(({ path }) => `\`${path}\``);
    const alerts = await archive.client.query(`SELECT ${names.join(", ")} FROM truth${i} ORDER BY candid`);
    const order = Array.from(decoded.alerts.columns.get("candid")!.values as BigInt64Array, (candid, row) => ({
      candid,
      row,
    }));
    order.sort((a, b) => (a.candid < b.candid ? -1 : 1));
    expect(alerts.rows).toBe(packets.length);
    for (const { path } of layout.fields) {
      const ours = cells(decoded.alerts.columns.get(path)!);
      expect([path, order.map(({ row }) => ours[row])]).toEqual([path, cells(alerts.columns.get(path)!)]);
    }

    expect(lists.length).toBe(i + 1);
    for (const { name, fields: parts } of lists) {
      const elements = parts.map((field) => `x.${field.path} AS \`${field.path}\``);
      const items = await archive.client.query(
        `SELECT ${elements.join(", ")} FROM (SELECT candid AS alert, item.1 AS position, item.2 AS x FROM truth${i}
         ARRAY JOIN arrayZip(arrayEnumerate(${name}), ${name}) AS item) ORDER BY alert, position`,
      );
      const list = decoded.lists.get(name)!;
      const rows = order.flatMap(({ row }) => Array.from(list.parents.keys()).filter((k) => list.parents[k] === row));
      expect(items.rows).toBe(list.rows);
      expect(items.rows).toBeGreaterThan(100);
      for (const { path } of parts) {
        const ours = cells(list.columns.get(path)!);
        expect([name, path, rows.map((row) => ours[row])]).toEqual([name, path, cells(items.columns.get(path)!)]);
      }
    }
  });
}
