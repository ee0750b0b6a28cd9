// Fills an empty graph from the lines of an export (transfer.ts). Called by cli/graph.ts and tests.
import { TocsinError } from "../../domain/errors.js";
import { totals } from "./export.js";
import type { Graph, GraphTx } from "./graph.js";
import { KEYS } from "./migrations.js";
import { createNodes, createRelationships, END_IMPORT, OPEN_IMPORT, SET_IMPORT } from "./statements/transfer.js";
import {
  badExport,
  type Counts,
  checksum,
  HEADER,
  isProperties,
  isRecord,
  isType,
  LABELS,
  type Line,
  type OnProgress,
} from "./transfer.js";

/** Lines of one transaction. */
const BATCH = 2_000;

/**
 * `open` gives the lines twice: first they are checked to the last, then stored, so that of a damaged or truncated export
 * (BAD_EXPORT) nothing is stored. An import that was interrupted goes on where it stopped when the same export is
 * given again; anything else in the graph is GRAPH_NOT_EMPTY. Needs graph.migrate() before.
 */
export async function importGraph(
  graph: Graph,
  open: () => AsyncIterable<string>,
  onProgress: OnProgress = () => {},
): Promise<Counts> {
  const { sha256: id, ...counts } = await verify(open());
  let done = await begin(graph, id);
  const total = counts.nodes + counts.relationships;
  for await (const { lines, last } of batches(open(), total, done)) {
    await graph.write(async (tx) => {
      // A transaction that was stored though its answer was lost comes here again.
      const [state] = await tx.run(OPEN_IMPORT, {});
      if (state?.id !== id || state.done >= last) return;
      await store(tx, lines);
      await tx.run(SET_IMPORT, { id, done: last });
    });
    done = last;
    onProgress(done, total);
  }
  await graph.write((tx) => tx.run(END_IMPORT, { id }));
  return counts;
}

/** Throws IMPORT_UNFINISHED where an import was interrupted: half a graph must not pass for one. */
export async function refuseUnfinished(graph: Graph): Promise<void> {
  const [unfinished] = await graph.read(OPEN_IMPORT, {});
  if (unfinished) throw new TocsinError("IMPORT_UNFINISHED", "An import into this graph was interrupted.");
}

/** Lines that are stored already. */
async function begin(graph: Graph, id: string): Promise<number> {
  const [unfinished] = await graph.read(OPEN_IMPORT, {});
  if (unfinished?.id === id) return unfinished.done;
  const { nodes } = await totals(graph);
  if (nodes > 0) throw new TocsinError("GRAPH_NOT_EMPTY", `The graph holds ${nodes} nodes already.`);
  await graph.write((tx) => tx.run(SET_IMPORT, { id, done: 0 }));
  return 0;
}

/** Reads all lines. Throws BAD_EXPORT naming the line. */
async function verify(lines: AsyncIterable<string>): Promise<Counts & { sha256: string }> {
  const hash = checksum();
  let [number, nodes, relationships] = [0, 0, 0];
  let footer: Record<string, unknown> | undefined;
  for await (const text of lines) {
    number += 1;
    if (footer) throw badExport(number, "comes after the footer");
    const line = parsed(text, number);
    if (number === 1) checkHeader(line);
    else if ("sha256" in line) {
      footer = line;
      continue;
    } else if ("type" in toLine(line, number)) relationships += 1;
    else if (relationships > 0) throw badExport(number, "is a node after relationships");
    else nodes += 1;
    hash.update(`${text}\n`);
  }
  if (!footer) throw badExport(number, "is the last, without a footer: the export is cut off");
  const sha256 = hash.digest("hex");
  if (footer.nodes !== nodes || footer.relationships !== relationships || footer.sha256 !== sha256) {
    throw badExport(number, "does not agree with the lines before: the export is damaged");
  }
  return { nodes, relationships, sha256 };
}

function parsed(text: string, number: number): Record<string, unknown> {
  try {
    const line: unknown = JSON.parse(text);
    if (isRecord(line)) return line;
  } catch {
    // Told below.
  }
  throw badExport(number, "is not a JSON object");
}

function checkHeader({ format, version, keys }: Record<string, unknown>): void {
  if (format !== HEADER.format) throw badExport(1, "is not the header of a graph");
  if (version !== HEADER.version) throw badExport(1, `names format version ${version}, which this program cannot read`);
  const known = isRecord(keys) && Object.entries(keys).every(([label, key]) => HEADER.keys[label] === key);
  if (!known) throw badExport(1, "names labels that this version of the program does not know");
}

function toLine(line: Record<string, unknown>, number: number): Line {
  if (!isProperties(line.properties)) throw badExport(number, "has properties that a graph cannot hold");
  if ("type" in line) {
    if (!isType(line.type) || ![line.from, line.to].every(isEnd)) throw badExport(number, "is no relationship");
  } else if (!isLabel(line.label) || typeof line.properties[KEYS[line.label]!] !== "string") {
    throw badExport(number, "is no node with a label and key that this program knows");
  }
  return line as unknown as Line;
}

const isLabel = (label: unknown): label is string => LABELS.includes(label as string);
const isEnd = (end: unknown): boolean =>
  Array.isArray(end) && end.length === 2 && isLabel(end[0]) && typeof end[1] === "string";

/** Lines after the header and `done` others; last = how many are stored with them. */
async function* batches(
  texts: AsyncIterable<string>,
  total: number,
  done: number,
): AsyncGenerator<{ lines: Line[]; last: number }> {
  let [number, lines]: [number, Line[]] = [-1, []];
  for await (const text of texts) {
    number += 1;
    if (number <= done || number > total) continue;
    // Checked again: the file may be another one by now.
    lines.push(toLine(parsed(text, number + 1), number + 1));
    if (lines.length < BATCH && number < total) continue;
    yield { lines, last: number };
    lines = [];
  }
}

async function store(tx: GraphTx, lines: readonly Line[]): Promise<void> {
  for (const [first, ...others] of groups(lines)) {
    const all = [first, ...others];
    if (!("type" in first)) {
      await tx.run(createNodes(first.label), { rows: all.map(({ properties }) => properties) as never[] });
      continue;
    }
    const { type, from, to } = first;
    const rows = all.map((line) => {
      const { from: start, to: end, properties } = line as typeof first;
      return { ...properties, _from: start[1], _to: end[1] };
    });
    const [result] = await tx.run(createRelationships(type, from[0], to[0], KEYS), { rows: rows as never[] });
    if (result!.made !== rows.length) {
      throw new TocsinError("BAD_EXPORT", `A relationship ${type} of the export joins nodes that are not in it.`);
    }
  }
}

/** Lines that one statement can store. */
function groups(lines: readonly Line[]): Iterable<[Line, ...Line[]]> {
  const found = new Map<string, [Line, ...Line[]]>();
  for (const line of lines) {
    const kind = "type" in line ? [line.type, line.from[0], line.to[0]].join() : line.label;
    const group = found.get(kind);
    if (group) group.push(line);
    else found.set(kind, [line]);
  }
  return found.values();
}
