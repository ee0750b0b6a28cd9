// DeadLetterStore on ClickHouse. Made by stores.ts.
import { createHash } from "node:crypto";
import pLimit from "p-limit";
import type { DeadLetter, DeadLetterReason } from "../../domain/packet.js";
import type { Viewer } from "../../domain/viewer.js";
import type { DeadLetterStore, StoredDeadLetter } from "../deadletters.store.js";
import { bigints, blockOf, eachRow, signed, strings, stringsOrNull, texts, textsOrNull, unsigned } from "./blocks.js";
import type { ArchiveClient, Parameter } from "./client.js";
import { STOP_WHEN_FULL } from "./pages.js";

const KEPT_BYTES = 1024 ** 2;
/** Bytes of letters in one insert. */
const INSERT_BYTES = 16 * 1024 ** 2;

export class ArchiveDeadLetters implements DeadLetterStore {
  /** One at a time: each looks for what is there before it adds. */
  readonly #serially = pLimit(1);

  constructor(private readonly client: ArchiveClient) {}

  add(letters: readonly DeadLetter[]): Promise<void> {
    return this.#serially(async () => {
      const byId = new Map(letters.map((letter) => [idOf(letter), letter]));
      if (byId.size === 0) return;
      const present = await this.client.query("SELECT id FROM dead_letters WHERE id IN {ids:Array(UInt64)}", {
        ids: [...byId.keys()],
      });
      for (const id of bigints(present, "id")) byId.delete(id);
      const receivedAt = Date.now();
      for (const part of parts([...byId])) await this.client.insert("dead_letters", blockFor(part, receivedAt));
    });
  }

  async page(
    viewer: Viewer,
    first: number,
    after: { receivedAt: number; id: bigint } | null,
  ): Promise<StoredDeadLetter[]> {
    if (!viewer.mayChange) return [];
    const parameters: Record<string, Parameter> = { first };
    let where = "1";
    if (after !== null) {
      where = "receivedAt <= {receivedAt:Int64} AND (receivedAt < {receivedAt:Int64} OR id < {id:UInt64})";
      Object.assign(parameters, { receivedAt: BigInt(after.receivedAt), id: after.id });
    }
    const block = await this.client.query(
      `SELECT receivedAt, id, reason, message, source, position, survey, bytes, schemaFingerprint FROM dead_letters
      WHERE ${where} ORDER BY receivedAt DESC, id DESC LIMIT 1 BY id LIMIT {first:UInt32}
      ${STOP_WHEN_FULL}`,
      parameters,
    );
    const receivedAt = bigints(block, "receivedAt");
    const id = bigints(block, "id");
    const reason = strings(block, "reason");
    const message = strings(block, "message");
    const source = strings(block, "source");
    const position = strings(block, "position");
    const survey = stringsOrNull(block, "survey");
    const bytes = stringsOrNull(block, "bytes");
    const schemaFingerprint = stringsOrNull(block, "schemaFingerprint");
    return eachRow(block, (row) => {
      const text = bytes(row);
      return {
        id: id[row]!,
        receivedAt: Number(receivedAt[row]!),
        reason: reason[row] as DeadLetterReason,
        message: message[row]!,
        origin: { source: source[row]!, position: position[row]! },
        survey: survey(row),
        bytes: text === null ? null : Buffer.from(text, "base64"),
        schemaFingerprint: schemaFingerprint(row),
      };
    });
  }
}

const kept = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, KEPT_BYTES);

/** The first 64 bits of a SHA-256 over origin, reason and the kept bytes. */
function idOf({ origin, reason, bytes }: DeadLetter): bigint {
  const hash = createHash("sha256").update(JSON.stringify([origin.source, origin.position, reason, bytes !== null]));
  if (bytes !== null) hash.update(kept(bytes));
  return hash.digest().readBigUInt64BE();
}

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
  return blockOf(letters.length, {
    receivedAt: signed(new BigInt64Array(letters.length).fill(BigInt(receivedAt))),
    id: unsigned(BigUint64Array.from(letters, ([id]) => id)),
    reason: text(({ reason }) => reason),
    message: text(({ message }) => message),
    source: text(({ origin }) => origin.source),
    position: text(({ origin }) => origin.position),
    survey: textOrNull(({ survey }) => survey),
    bytes: textOrNull(({ bytes }) => (bytes === null ? null : Buffer.from(kept(bytes)).toString("base64"))),
    schemaFingerprint: textOrNull(({ schemaFingerprint }) => schemaFingerprint),
  });
}
