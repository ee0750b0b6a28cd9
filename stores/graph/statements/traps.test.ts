// Lints the whole catalogue for Cypher that Grafeo and Neo4j answer differently, or that grows without bound. Every trap
// comes with a sample that it must catch. The reasons stand in docs/decisions/0004-graph.md.
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Statement } from "../graph.js";
import { createRelationships, type nodesAfter } from "./transfer.js";

interface Trap {
  readonly name: string;
  readonly found: (text: string) => boolean;
  readonly sample: string;
}

const NODE_VARIABLE = /\((\w+)(?=[:\s{)])|\[(\w+):/g;
/** Properties and columns that are unique, alone or (programid, from) after the keys before them. */
const UNIQUE = ["id", "key", "other", "version", "programid", "from"];
/** Reads of everything under a label: system use, of what people make by hand. */
const WHOLE_LABEL = ["ACTIVE_FILTERS", "FILTER_STREAMS", "MIGRATION_VERSIONS", "COUNT_MIGRATIONS"];

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);
/** Texts between a keyword and the clause that follows. */
const clauses = (text: string, keyword: RegExp): string[] =>
  [
    ...text.matchAll(
      new RegExp(
        `${keyword.source} (.*?)(?= (?:MATCH|OPTIONAL|WITH|RETURN|UNWIND|CALL|SET|MERGE|CREATE|ORDER BY|LIMIT|SKIP|ON|FOREACH|WHERE) |[}]|$)`,
        "g",
      ),
    ),
  ].map(([, body]) => body!);

const TRAPS: readonly Trap[] = [
  {
    name: "subquery or pattern in the WHERE of OPTIONAL MATCH (drops the row on Grafeo)",
    found: (text) =>
      [...text.matchAll(/OPTIONAL MATCH(.*?)(?= MATCH | WITH | RETURN |$)/g)].some(([, body]) =>
        /WHERE.*(EXISTS|COUNT) ?\{|WHERE.*\)<?-/.test(body!),
      ),
    sample:
      "MATCH (o:Object {key: $key}) OPTIONAL MATCH (o)<-[h:HIT]-(f) WHERE NOT EXISTS { (f)-[:X]->() } RETURN f.id AS id",
  },
  {
    name: "COLLECT { }",
    found: matches(/\bCOLLECT ?\{/i),
    sample: "RETURN COLLECT { MATCH (a:A {id: $id}) RETURN a.id }",
  },
  {
    name: "label disjunction",
    found: matches(/\(\w*:\w+ ?\|/),
    sample: "MATCH (x:A|B {id: $id}) RETURN x.id AS id",
  },
  {
    name: "arithmetic in LIMIT or SKIP",
    found: matches(/\b(LIMIT|SKIP) (\$\w+|\d+) ?[-+*/]/),
    sample: "MATCH (x:A) RETURN x.id AS id ORDER BY id LIMIT $n + 1",
  },
  {
    name: "list + scalar (null on Grafeo); only + number and + [list] are sure",
    found: matches(/ \+ (?![\d[])/),
    sample: "MATCH (x:A {id: $id}) SET x.tags = x.tags + $tag",
  },
  {
    name: "function that differs",
    found: matches(/\b(randomUUID|point|datetime|timestamp|toString|elementId|id|apoc[.\w]*)\(/),
    sample: "CREATE (x:A {id: randomUUID()})",
  },
  {
    name: "ORDER BY without a unique last key",
    found: (text) =>
      clauses(text, /ORDER BY/).some(
        (keys) =>
          !UNIQUE.includes(
            keys
              .trim()
              .replace(/ (ASC|DESC)$/, "")
              .split(/[\s,.]+/)
              .at(-1)!,
          ),
      ),
    sample: "MATCH (x:A {id: $id}) RETURN x.name AS name ORDER BY name",
  },
  {
    name: "rows without ORDER BY",
    found: (text) =>
      /\bRETURN (?!(collect|count)\()/.test(text) && !/ORDER BY/.test(text) && /UNWIND|\(\w*:\w+\)/.test(text),
    sample: "UNWIND $ids AS id MATCH (x:A {id: id}) RETURN x.name AS name",
  },
  {
    name: "node or relationship returned raw",
    found: (text) => {
      const variables = new Set([...text.matchAll(NODE_VARIABLE)].map(([, node, edge]) => node ?? edge));
      return clauses(text, /RETURN/)
        .flatMap((body) => body.split(","))
        .some((item) => variables.has(item.trim().split(" ")[0]!) || variables.has(/collect\((\w+)\)/.exec(item)?.[1]));
    },
    sample: "MATCH (x:A {id: $id}) RETURN x",
  },
  {
    name: "path of variable length without an upper bound",
    found: matches(/\[[^\]]*\*(?!\d*\.\.\d)(?!\d+\])/),
    sample: "MATCH (x:A {id: $id})-[:T*1..]->(y) RETURN y.id AS id",
  },
  {
    name: "quantified path",
    found: matches(/\) ?\) ?\{\d/),
    sample: "MATCH (x:A {id: $id}) ((a)-[:T]->(b)){1,3} (y) RETURN y.id AS id",
  },
  {
    name: "where as a name (reserved on Grafeo)",
    found: matches(/\$where\b|[.{,] ?where\b/i),
    sample: "CREATE (x:A {id: $id, where: $text})",
  },
  {
    name: "anchor at the far end of a path",
    found: (text) =>
      [...text.matchAll(/MATCH \((\w*)(?::\w+)?\)<?-\[[^\]]*\]->?\(\w*:\w+ \{/g)].some(
        (path) => !new RegExp(`\\(${path[1] || "-"}\\b`).test(text.slice(0, path.index)),
      ),
    sample: "MATCH (x:A)-[:T]->(y:B {id: $id}) RETURN x.id AS id ORDER BY id LIMIT 1",
  },
  {
    name: "MERGE of a node on more than its key",
    found: matches(/MERGE \(\w*:\w+ \{[^}]*,/),
    sample: "MERGE (x:A {id: $id, name: $name})",
  },
  {
    name: "MERGE key that the guard cannot see",
    found: (text) => {
      const rows = [...text.matchAll(/UNWIND \$\w+ AS (\w+)/g)].map(([, row]) => row!);
      return [...text.matchAll(/MERGE [^{]*?\{\w+: ([^}]*)\}/g)].some(
        ([, value]) => !value!.startsWith("$") && !rows.includes(value!.split(".")[0]!),
      );
    },
    sample: "UNWIND $rows AS r WITH r.id AS id MERGE (x:A {id: id})",
  },
  {
    name: "paged read without LIMIT $first",
    found: (text) => text.includes("$first") && !text.includes("LIMIT $first"),
    sample: "MATCH (x:A) WHERE x.rank < $first RETURN x.id AS id ORDER BY id",
  },
];
/** With exceptions by name, so apart from the others. */
const wholeLabelWithoutLimit = (text: string) =>
  /^MATCH \(\w+:\w+\)/.test(text) && text.includes("RETURN") && !text.includes("LIMIT");

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();
const files = readdirSync(import.meta.dirname).filter((file) => !file.endsWith(".test.ts"));
const catalogue = (
  await Promise.all(
    files.map(async (file) =>
      Object.entries((await import(new URL(file, import.meta.url).href)) as Record<string, unknown>),
    ),
  )
)
  .flat()
  .map(([name, value]) => ({
    name,
    text: oneLine(textOf(value as Statement<never, never> | typeof createRelationships)),
  }));

/** Texts that are made for a label are looked at for one. */
function textOf(value: Statement<never, never> | typeof createRelationships): string {
  if (typeof value !== "function") return value.text;
  const keys = { Filter: "id", Object: "key" };
  const made: { text: string } =
    value.name === createRelationships.name
      ? value("HIT", "Filter", "Object", keys)
      : (value as unknown as typeof nodesAfter)("Object", keys);
  return made.text;
}

describe("traps", () => {
  it.each(TRAPS)("catch: $name", ({ found, sample }) => {
    expect(found(sample)).toBe(true);
  });
  it("catch an unbounded read of a label", () => {
    expect(wholeLabelWithoutLimit("MATCH (x:A) RETURN x.id AS id ORDER BY id")).toBe(true);
  });
});

describe("catalogue", () => {
  it("is all here", () => {
    expect(catalogue.length).toBeGreaterThanOrEqual(28);
  });
  it.each(catalogue)("$name has no trap", ({ name, text }) => {
    expect(TRAPS.filter(({ found }) => found(text)).map((trap) => trap.name)).toEqual([]);
    expect(wholeLabelWithoutLimit(text) && !WHOLE_LABEL.includes(name)).toBe(false);
  });
});
