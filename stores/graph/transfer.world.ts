// A graph with something of everything, for the tests of export and import: filters with versions, hits of thousands of
// objects, counterparts, one object with more of them than a page, odd texts and values of all types.
import type { Hit } from "../../domain/filter.js";
import { exportGraph } from "./export.js";
import type { Graph } from "./graph.js";
import { statement } from "./graph.js";
import { createLease } from "./lease.js";
import { createGraphStores } from "./stores.js";

export const OBJECTS = 10_000;
/** More than one page of pairs ends at one object. */
const CROWD = 4_300;

const ODD = statement<{
  key: string;
  none: null;
  list: readonly string[];
  numbers: readonly number[];
  empty: readonly string[];
}>(`
  MERGE (o:Object {key: $key})
  SET o.whole = 9007199254740991, o.negative = -3, o.part = 0.1, o.tiny = 5e-300, o.yes = true, o.no = false, o.none = $none,
    o.texts = $list, o.numbers = $numbers, o.empty = $empty`);
const TWICE = statement<{ from: string; to: string }>(`
  MATCH (a:Object {key: $from})
  MATCH (b:Object {key: $to})
  CREATE (a)-[:SEEN_WITH {n: 1, texts: ['a', 'b']}]->(b)
  CREATE (a)-[:SEEN_WITH {n: 1, texts: ['a', 'b']}]->(b)
  CREATE (b)-[:SEEN_WITH]->(b)`);

/** Fills an empty graph. */
export async function fillWorld(graph: Graph): Promise<void> {
  const { filters, links } = await createGraphStores(graph);
  const ids: string[] = [];
  for (const name of ["bright", "odd \"}) DETACH DELETE f // ' \\ \u{1F52D} \n \u2028 $id"]) {
    const { id } = await filters.create({ name, survey: "ZTF", where: "magpsf < 17", annotations: [], active: true });
    await filters.update(id, {
      where: "magpsf < 16",
      changelog: "brighter",
      annotations: [{ name: "a", expression: "1" }],
    });
    ids.push(id);
  }
  await links.linkHits(Array.from({ length: OBJECTS * 2 }, (_, i) => hit(ids[i % 2]!, i)));
  await links.linkCounterparts(
    Array.from({ length: CROWD }, (_, i) => ({
      a: { survey: "ZTF", objectId: `ZTF${i}` },
      b:
        i < 5
          ? { survey: "LSST", objectId: String(9223372036854775807n - BigInt(i)) }
          : { survey: "ZTF", objectId: "hub" },
      separationArcsec: i / 8,
    })),
  );
  await links.setCheckpoint("hits", 18_000_000_000_000_000_001n);
  await createLease(graph, "sequencer", { holder: "one", seconds: 1 }).hold();
  await graph.write((tx) =>
    tx.run(ODD, { key: "ZTF:odd", none: null, list: ["a", "\0", "Ω"], numbers: [1, -2], empty: [] }),
  );
  await graph.write((tx) => tx.run(TWICE, { from: "ZTF:ZTF1", to: "ZTF:odd" }));
}

export async function linesOf(graph: Graph): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of exportGraph(graph)) lines.push(line);
  return lines;
}

const hit = (filterId: string, i: number): Hit => ({
  survey: "ZTF",
  objectId: `ZTF${i >> 1}`,
  filterId,
  filterVersion: 1,
  candid: 9_007_199_254_740_993n + BigInt(i),
  jd: 2_460_000.5 + i / 7,
  programid: 1 + (i % 3),
  annotations: null,
  seq: BigInt(i + 1),
  passedAt: 1_790_000_000_000,
});
