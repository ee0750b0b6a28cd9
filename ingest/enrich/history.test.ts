// The lists of points that each alert has for filters, live, against the plain rule over all packets, on a real archive.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ArchiveStores, createArchiveStores } from "../../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { testBatch, testHashes, testLocations } from "../../test/batches.js";
import { listsByRule, listsOf, randomPackets } from "../../test/histories.js";
import { SURVEYS } from "../surveys/index.js";
import { createHistory, histories } from "./history.js";

let engine: TestArchive;
let stores: ArchiveStores;
beforeAll(async () => {
  engine = await startTestArchive();
  stores = await createArchiveStores(
    engine.client,
    SURVEYS.map(({ description }) => description),
  );
});
afterAll(() => engine?.stop());

describe.each(SURVEYS.map(({ description }) => description))("$id", (description) => {
  it.each(["a", "b", "c"])("each alert has the points that packets up to it told (%s)", async (seed) => {
    const packets = randomPackets(description, `${description.id}${seed}`, 150);
    const expected = listsByRule(description, packets);
    const history = createHistory(stores.history);
    for (let at = 0, size = 7; at < packets.length; at += size, size = (size * 5) % 61) {
      const part = packets.slice(at, at + size);
      // Within a batch alerts stand in any order.
      const shuffled = part.toSorted((a, b) => Number((a.candid % 7n) - (b.candid % 7n)));
      const batch = await history.run(testBatch(description, shuffled));
      for (const [row, { candid }] of shuffled.entries()) {
        expect(listsOf(description, batch.alerts, row)).toEqual(expected.get(candid));
      }
      await stores.alerts.write(stores.batches.begin(), batch, testHashes(shuffled), testLocations(shuffled));
    }
  });
});

it("names the lists for filters as the columns are", async () => {
  const { description } = SURVEYS[0]!;
  const batch = await createHistory(stores.history).run(
    testBatch(description, randomPackets(description, "names", 20)),
  );
  const { lists } = histories([description]).operands("ZTF");
  expect(lists.flatMap(({ name, fields }) => fields.map((field) => `${name}.${field.name}`))).toEqual([
    ...batch.alerts.lists!.keys(),
  ]);
  for (const { name, fields } of lists) {
    for (const { name: field, type, nullable } of fields) {
      const { items } = batch.alerts.lists!.get(`${name}.${field}`)!;
      expect([name, field, items.type, items.nulls !== null]).toEqual([name, field, type, nullable]);
    }
  }
});
