// Runs compiled filters over alerts that are not stored: the block travels with the query. Called by cli/ for ingest.
import type { Block } from "../../domain/columns.js";
import type { CompiledColumn, InFlightQuery } from "../inflight.store.js";
import type { ArchiveClient } from "./client.js";
import { EVALUATION_SETTINGS } from "./evaluation.js";
import { LONGEST_FIELD, quoted } from "./http.form.js";

// One thread keeps the order of the rows.
const SETTINGS = `max_threads = 1, ${EVALUATION_SETTINGS}`;

/** A batch of alerts takes a thousand filters a second; who takes longer holds up the stream. */
const TIMEOUT_MS = 10_000;

/** Compiled texts read the block's columns by their names; the table's own name is `batch`. */
export function createInFlightQuery(client: ArchiveClient): InFlightQuery {
  return {
    async select(block: Block, columns: readonly CompiledColumn[]): Promise<Block> {
      if (block.rows === 0 || columns.length === 0) return { rows: 0, columns: new Map() };
      const external = [{ name: "batch", block }];
      const answers = await Promise.all(
        statements(columns, LONGEST_FIELD - 1_000).map((list) =>
          client.query(`SELECT ${list}\nFROM batch\nSETTINGS ${SETTINGS}`, {}, { external, timeoutMs: TIMEOUT_MS }),
        ),
      );
      return joined(answers);
    },
  };
}

/** Lists of columns of at most so many bytes: a server's own bound on a statement that comes with a table. */
function statements(columns: readonly CompiledColumn[], longest: number): string[] {
  const lists: string[] = [];
  let list = "";
  for (const { sql, alias } of columns) {
    const column = `${sql} AS ${quoted(alias)}`;
    if (list !== "" && Buffer.byteLength(list) + Buffer.byteLength(column) > longest) {
      lists.push(list);
      list = "";
    }
    list += list === "" ? column : `,\n${column}`;
  }
  return [...lists, list];
}

/** Columns of the same rows side by side. */
function joined(answers: readonly Block[]): Block {
  if (answers.length === 1) return answers[0]!;
  return {
    rows: answers[0]!.rows,
    columns: new Map(answers.flatMap(({ columns }) => [...columns])),
    lists: new Map(answers.flatMap(({ lists }) => [...(lists ?? [])])),
  };
}
