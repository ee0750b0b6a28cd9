// A whole graph as JSON lines (transfer.ts), in pages. Called by cli/graph.ts and tests.
import { TocsinError } from "../../domain/errors.js";
import type { Graph } from "./graph.js";
import { KEYS } from "./migrations.js";
import {
  COUNT_MIGRATIONS,
  COUNT_NODES,
  COUNT_RELATIONSHIPS,
  nodesAfter,
  OPEN_IMPORT,
  relationshipsInto,
} from "./statements/transfer.js";
import {
  type Counts,
  checksum,
  HEADER,
  isProperties,
  isType,
  LABELS,
  type Line,
  type OnProgress,
  type Properties,
  sorted,
} from "./transfer.js";

/** Nodes, or pairs of nodes, of one page. */
const PAGE = 2_000;

/**
 * Lines without line feeds, the same for equal graphs: nodes by label and key, then relationships by the label and key
 * that they end at. Holds a page at a time. Nobody may write meanwhile: pages are no snapshot, so what changed, or what
 * Tocsin did not write, ends in NOT_EXPORTABLE instead of a footer.
 */
export async function* exportGraph(graph: Graph, onProgress: OnProgress = () => {}): AsyncGenerator<string, Counts> {
  const [unfinished] = await graph.read(OPEN_IMPORT, {});
  if (unfinished) throw notExportable("An import into this graph is unfinished.");
  const total = await totals(graph);
  const hash = checksum();
  let [nodes, relationships] = [0, 0];
  const told = (line: object): string => {
    const text = JSON.stringify(line);
    hash.update(`${text}\n`);
    return text;
  };

  yield told(HEADER);
  for await (const page of nodeLines(graph)) {
    for (const line of page) yield told(line);
    nodes += page.length;
    onProgress(nodes, total.nodes + total.relationships);
  }
  for await (const page of relationshipLines(graph)) {
    for (const line of page) yield told(line);
    relationships += page.length;
    onProgress(nodes + relationships, total.nodes + total.relationships);
  }
  for (const { nodes: n, relationships: r } of [total, await totals(graph)]) {
    if (n === nodes && r === relationships) continue;
    throw notExportable(
      `The graph has ${n} nodes and ${r} relationships, of which ${nodes} and ${relationships} were read.`,
    );
  }
  yield JSON.stringify({ nodes, relationships, sha256: hash.digest("hex") });
  return { nodes, relationships };
}

/** What the graph holds, its record of migrations left out. */
export async function totals(graph: Graph): Promise<Counts> {
  const count = async (counting: typeof COUNT_NODES): Promise<number> => (await graph.read(counting, {}))[0]!.count;
  const [all, own] = [await count(COUNT_NODES), await count(COUNT_MIGRATIONS)];
  return { nodes: all - own, relationships: await count(COUNT_RELATIONSHIPS) };
}

async function* nodeLines(graph: Graph): AsyncGenerator<Line[]> {
  for (const label of LABELS) {
    for await (const page of nodePages(graph, label)) {
      yield page.map(({ key, properties }) => ({ label, properties: checked(properties, `${label} ${key}`) }));
    }
  }
}

async function* nodePages(
  graph: Graph,
  label: string,
): AsyncGenerator<{ key: string; properties: object; degree: number }[]> {
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page: { key: string; properties: object; degree: number }[] = await graph.read(nodesAfter(label, KEYS), {
      after,
      first: PAGE,
    });
    if (page.length > 0) yield page;
    after = page.length < PAGE ? undefined : page.at(-1)!.key;
  }
}

async function* relationshipLines(graph: Graph): AsyncGenerator<Line[]> {
  for (const label of LABELS) {
    for await (const page of nodePages(graph, label)) {
      for (const keys of groups(page)) yield* relationshipsOf(graph, label, keys);
    }
  }
}

/** Nodes at whose ends about a page of relationships lies; one with more is alone. */
function* groups(page: readonly { key: string; degree: number }[]): Generator<string[]> {
  let [keys, sum]: [string[], number] = [[], 0];
  for (const { key, degree } of page) {
    if (degree === 0) continue;
    if (sum + degree > PAGE && keys.length > 0) {
      yield keys;
      [keys, sum] = [[], 0];
    }
    keys.push(key);
    sum += degree;
  }
  if (keys.length > 0) yield keys;
}

async function* relationshipsOf(graph: Graph, label: string, keys: readonly string[]): AsyncGenerator<Line[]> {
  for (let skip = 0; ; skip += PAGE) {
    const pairs = await graph.read(relationshipsInto(label, KEYS), { keys, skip, first: PAGE });
    if (pairs.length > 0) yield pairs.flatMap((pair) => linesBetween(label, pair));
    if (pairs.length < PAGE) return;
  }
}

type Pair = { to: string; label: string; from: string; between: readonly { type: string; properties: object }[] };

function linesBetween(label: string, { to, label: source, from, between }: Pair): Line[] {
  if (!LABELS.includes(source)) throw notExportable(`The label ${source} is not Tocsin's.`);
  const lines = between.map(({ type, properties }): Line => {
    if (!isType(type)) throw notExportable(`The relationship type ${type} is not Tocsin's.`);
    const whose = `a relationship ${type} to ${label} ${to}`;
    return { type, from: [source, from], to: [label, to], properties: checked(properties, whose) };
  });
  // The engine collects them in any order.
  const ranks = new Map(lines.map((line) => [line, JSON.stringify(line)]));
  return lines.sort((a, b) => (ranks.get(a)! < ranks.get(b)! ? -1 : 1));
}

function checked(properties: object, whose: string): Properties {
  if (isProperties(properties)) return sorted(properties);
  throw notExportable(`The properties of ${whose} are not all text, numbers, booleans and lists of one of them.`);
}

const notExportable = (why: string): TocsinError => new TocsinError("NOT_EXPORTABLE", why);
