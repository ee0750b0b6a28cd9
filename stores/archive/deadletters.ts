// DeadLetterStore on ClickHouse. Made by stores.ts.
import pLimit from "p-limit";
import type { Block, Column } from "../../domain/columns.js";
import type { DeadLetter, DeadLetterReason } from "../../domain/packet.js";
import type { Viewer } from "../../domain/viewer.js";
import type {
  DeadLetterStore,
  LetterConditions,
  LetterKey,
  StoredDeadLetter,
  WholeDeadLetter,
} from "../deadletters.store.js";
import {
  bigints,
  blockOf,
  counts,
  eachRow,
  numbers,
  numbersOrNull,
  signed,
  strings,
  stringsOrNull,
  texts,
  textsOrNull,
  unsigned,
} from "./blocks.js";
import type { ArchiveClient, Parameter } from "./client.js";
import { letterId } from "./deadletters.id.js";
import { STOP_WHEN_FULL } from "./pages.js";

/** As much as the largest message that could have been packets: ingest/avro/container.ts, keptBytes. */
const KEPT_BYTES = 16 * 1024 ** 2;
/** Bytes of letters in one insert. */
const INSERT_BYTES = 16 * 1024 ** 2;

const COLUMNS =
  "receivedAt, id, reason, message, source, position, partition, offset, survey, bytesKept, schemaFingerprint";
const REPLAYED = "SELECT id FROM replays WHERE batch IN (SELECT batch FROM batches)";

export class ArchiveDeadLetters implements DeadLetterStore {
  /** One at a time: each looks for what is there before it adds. */
  readonly #serially = pLimit(1);
  /** Fingerprints of schemas that are kept. */
  readonly #schemas = new Set<string>();

  constructor(private readonly client: ArchiveClient) {}

  add(letters: readonly DeadLetter[]): Promise<void> {
    return this.#serially(async () => {
      const byId = new Map(letters.map((letter) => [letterId(letter), letter]));
      if (byId.size === 0) return;
      const present = await this.client.query("SELECT id FROM dead_letters WHERE id IN {ids:Array(UInt64)}", {
        ids: [...byId.keys()],
      });
      for (const id of bigints(present, "id")) byId.delete(id);
      await this.#keepSchemas([...byId.values()]);
      const receivedAt = Date.now();
      for (const part of parts([...byId])) await this.client.insert("dead_letters", blockFor(part, receivedAt));
    });
  }

  async page(
    viewer: Viewer,
    where: LetterConditions,
    first: number,
    after: LetterKey | null,
  ): Promise<StoredDeadLetter[]> {
    if (!viewer.mayChange) return [];
    const { clauses, parameters } = conditions(where);
    if (after !== null) {
      clauses.push("receivedAt <= {afterTime:Int64} AND (receivedAt < {afterTime:Int64} OR id < {afterId:UInt64})");
      Object.assign(parameters, { afterTime: BigInt(after.receivedAt), afterId: after.id });
    }
    const block = await this.client.query(
      `SELECT ${COLUMNS} FROM dead_letters WHERE ${clauses.join(" AND ") || "1"}
      ORDER BY receivedAt DESC, id DESC LIMIT 1 BY id LIMIT {first:UInt32} ${STOP_WHEN_FULL}`,
      { ...parameters, first },
    );
    return this.#lettersOf(block);
  }

  async whole(viewer: Viewer, ids: readonly bigint[]): Promise<WholeDeadLetter[]> {
    if (!viewer.mayChange || ids.length === 0) return [];
    const block = await this.client.query(
      `SELECT ${COLUMNS}, isBare, bytes FROM dead_letters WHERE id IN {ids:Array(UInt64)}
      ORDER BY receivedAt DESC, id DESC LIMIT 1 BY id`,
      { ids },
    );
    const fingerprints = [...new Set(strings(block, "schemaFingerprint"))];
    const known = await this.client.query(
      "SELECT fingerprint, text FROM letter_schemas WHERE fingerprint IN {fingerprints:Array(String)}",
      { fingerprints },
    );
    const schemaTexts = strings(known, "text");
    const schemas = new Map(strings(known, "fingerprint").map((name, row) => [name, schemaTexts[row]!]));
    const bytes = stringsOrNull(block, "bytes");
    const isBare = numbers(block, "isBare");
    return (await this.#lettersOf(block)).map((letter, row) => {
      const kept = bytes(row);
      const fingerprint = letter.schemaFingerprint;
      const text = isBare[row] === 1 && fingerprint !== null ? schemas.get(fingerprint) : undefined;
      return {
        ...letter,
        bytes: kept === null ? null : Buffer.from(kept, "base64"),
        ...(text !== undefined && fingerprint !== null && { schema: { fingerprint, text } }),
      };
    });
  }

  async #keepSchemas(letters: readonly DeadLetter[]): Promise<void> {
    const fresh = new Map(
      letters.flatMap(({ schema }) =>
        schema === undefined || this.#schemas.has(schema.fingerprint) ? [] : [[schema.fingerprint, schema.text]],
      ),
    );
    if (fresh.size === 0) return;
    const [fingerprint, text] = [texts([...fresh.keys()]), texts([...fresh.values()])];
    await this.client.insert("letter_schemas", blockOf(fresh.size, { fingerprint, text }));
    for (const name of fresh.keys()) this.#schemas.add(name);
  }

  async #lettersOf(block: Block): Promise<StoredDeadLetter[]> {
    const ids = bigints(block, "id");
    const replayed = await this.#replayedAt([...(ids as BigUint64Array)]);
    const receivedAt = bigints(block, "receivedAt");
    const reason = strings(block, "reason");
    const message = strings(block, "message");
    const source = strings(block, "source");
    const position = strings(block, "position");
    const partition = numbersOrNull(block, "partition");
    const offsets = bigints(block, "offset");
    const survey = stringsOrNull(block, "survey");
    const bytesKept = numbers(block, "bytesKept");
    const schemaFingerprint = stringsOrNull(block, "schemaFingerprint");
    return eachRow(block, (row) => {
      const at = partition(row);
      return {
        id: ids[row]!,
        receivedAt: Number(receivedAt[row]!),
        replayedAt: replayed.get(ids[row]!) ?? null,
        reason: reason[row] as DeadLetterReason,
        message: message[row]!,
        origin: {
          source: source[row]!,
          position: position[row]!,
          ...(at !== null && { partition: at, offset: offsets[row]! }),
        },
        survey: survey(row),
        bytesKept: bytesKept[row]!,
        schemaFingerprint: schemaFingerprint(row),
      };
    });
  }

  async #replayedAt(ids: readonly bigint[]): Promise<Map<bigint, number>> {
    if (ids.length === 0) return new Map();
    const block = await this.client.query(
      `SELECT id, min(replayedAt) AS at FROM replays
      WHERE id IN {ids:Array(UInt64)} AND batch IN (SELECT batch FROM batches) GROUP BY id`,
      { ids },
    );
    const at = bigints(block, "at");
    return new Map(eachRow(block, (row) => [bigints(block, "id")[row]!, Number(at[row]!)]));
  }
}

function conditions({ ids, reason, survey, source, received, replayed }: LetterConditions) {
  const clauses: string[] = [];
  const parameters: Record<string, Parameter> = {};
  const add = (clause: string, values: Record<string, Parameter>) => {
    clauses.push(clause);
    Object.assign(parameters, values);
  };
  if (ids !== undefined) add("id IN {ids:Array(UInt64)}", { ids });
  if (reason !== undefined) add("reason = {reason:String}", { reason });
  if (survey !== undefined) add("survey = {survey:String}", { survey });
  if (source !== undefined) add("startsWith(source, {source:String})", { source });
  if (received !== undefined) {
    const [from, to] = [BigInt(Math.floor(received.from)), BigInt(Math.floor(received.to))];
    add("receivedAt >= {from:Int64} AND receivedAt < {to:Int64}", { from, to });
  }
  if (replayed !== undefined) clauses.push(`id ${replayed ? "" : "NOT "}IN (${REPLAYED})`);
  return { clauses, parameters };
}

const kept = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, KEPT_BYTES);

type Numbered = readonly [bigint, DeadLetter];

function* parts(letters: readonly Numbered[]): Generator<Numbered[]> {
  let part: Numbered[] = [];
  let size = 0;
  for (const letter of letters) {
    part.push(letter);
    size += 1024 + (letter[1].bytes?.length ?? 0);
    if (size < INSERT_BYTES) continue;
    yield part;
    part = [];
    size = 0;
  }
  if (part.length > 0) yield part;
}

function blockFor(letters: readonly Numbered[], receivedAt: number) {
  const text = (of: (letter: DeadLetter) => string) => texts(letters.map(([, letter]) => of(letter)));
  const textOrNull = (of: (letter: DeadLetter) => string | null) =>
    textsOrNull(letters.map(([, letter]) => of(letter)));
  const missing = Uint8Array.from(letters, ([, { origin }]) => (origin.partition === undefined ? 1 : 0));
  const partition: Column = {
    type: "Int32",
    values: Int32Array.from(letters, ([, { origin }]) => origin.partition ?? 0),
    nulls: missing,
  };
  const offset: Column = {
    type: "UInt64",
    values: BigUint64Array.from(letters, ([, { origin }]) => origin.offset ?? 0n),
    nulls: missing,
  };
  return blockOf(letters.length, {
    receivedAt: signed(new BigInt64Array(letters.length).fill(BigInt(receivedAt))),
    id: unsigned(BigUint64Array.from(letters, ([id]) => id)),
    reason: text(({ reason }) => reason),
    message: text(({ message }) => message),
    source: text(({ origin }) => origin.source),
    position: text(({ origin }) => origin.position),
    partition,
    offset,
    survey: textOrNull(({ survey }) => survey),
    bytes: textOrNull(({ bytes }) => (bytes === null ? null : Buffer.from(kept(bytes)).toString("base64"))),
    bytesKept: counts(Uint32Array.from(letters, ([, { bytes }]) => (bytes === null ? 0 : kept(bytes).length))),
    isBare: {
      type: "Bool",
      values: Uint8Array.from(letters, ([, { schema }]) => (schema === undefined ? 0 : 1)),
      nulls: null,
    },
    schemaFingerprint: textOrNull(({ schemaFingerprint }) => schemaFingerprint),
  });
}
