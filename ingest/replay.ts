// Dead letters through the pipeline once more, after what was wrong has been put right. Made by cli/.
import pLimit from "p-limit";
import type { DeadLetter, Origin, Packet } from "../domain/packet.js";
import type { Viewer } from "../domain/viewer.js";
import type {
  DeadLetterStore,
  LetterConditions,
  LetterKey,
  StoredDeadLetter,
  WholeDeadLetter,
} from "../stores/deadletters.store.js";
import { looksFramed, type SchemaLookup } from "./avro/confluent.js";
import { readContainer } from "./avro/container.js";
import type { Pipeline } from "./pipeline.js";

/** Letters in memory at the same time, but for one that is larger by itself. */
const BYTES_AT_ONCE = 48 * 1024 * 1024;
const LETTERS_AT_ONCE = 500;
const MOST_REASONS = 5;

export interface ReplayParts {
  readonly letters: DeadLetterStore;
  readonly pipeline: Pipeline;
  /** Asked for each replay: who registers a schema that was missing does not wait for what is remembered. */
  readonly schemas: () => (origin: Origin) => SchemaLookup;
}

export interface ReplaySums {
  replayed: number;
  failed: number;
  stored: number;
  duplicates: number;
  readonly reasons: string[];
}

export type Replayer = (viewer: Viewer, where: LetterConditions, first: number) => Promise<ReplaySums>;

/**
 * Replays the newest `first` of those that wait. One that fails again stays as it is. One whose bytes hold several packets
 * is replayed when all of them are in; those that can be taken in are so in any case. One replay after the other.
 */
export function createReplayer({ letters, pipeline, schemas }: ReplayParts): Replayer {
  const serially = pLimit(1);

  async function replay(viewer: Viewer, where: LetterConditions, first: number): Promise<ReplaySums> {
    const sums: ReplaySums = { replayed: 0, failed: 0, stored: 0, duplicates: 0, reasons: [] };
    const schemasOf = schemas();
    let after: LetterKey | null = null;
    for (let left = first; left > 0; ) {
      const page: StoredDeadLetter[] = await letters.page(
        viewer,
        { ...where, replayed: false },
        Math.min(left, LETTERS_AT_ONCE),
        after,
      );
      for (const share of sharesOf(page)) await takeAgain(await letters.whole(viewer, share), schemasOf, sums);
      if (page.length < Math.min(left, LETTERS_AT_ONCE)) break;
      left -= page.length;
      after = page.at(-1)!;
    }
    return sums;
  }

  async function takeAgain(
    share: readonly WholeDeadLetter[],
    schemasOf: (origin: Origin) => SchemaLookup,
    sums: ReplaySums,
  ): Promise<void> {
    const packets: Packet[] = [];
    const failures: DeadLetter[] = [];
    for (const letter of share) {
      for await (const item of itemsOf(letter, schemasOf)) {
        if ("reason" in item) failures.push({ ...item, replayOf: letter.id });
        else packets.push({ ...item, receivedAt: letter.receivedAt, replayOf: letter.id });
      }
    }
    const taken = await pipeline.take(packets, failures);
    const failed = new Map(taken.letters.map(({ replayOf, message }) => [replayOf!, message]));
    sums.failed += failed.size;
    sums.replayed += share.length - failed.size;
    sums.stored += taken.stored;
    sums.duplicates += taken.duplicates;
    sums.reasons.push(...[...failed.values()].slice(0, MOST_REASONS - sums.reasons.length));
  }

  /** At least one item, each with the letter's own origin. */
  async function* itemsOf(
    letter: WholeDeadLetter,
    schemasOf: (origin: Origin) => SchemaLookup,
  ): AsyncGenerator<Packet | DeadLetter> {
    const { bytes, schema, origin } = letter;
    if (bytes === null || bytes.length === 0) {
      yield { ...failure(letter), message: `Nothing was kept of ${origin.source}: bring it again.` };
    } else if (schema !== undefined) {
      yield { bytes, schema, origin };
    } else if (looksFramed(bytes)) {
      yield await schemasOf(origin).packet(bytes, origin);
    } else {
      let records = 0;
      for (const item of readContainer(bytes, origin.source)) {
        records += 1;
        const position = records === 1 ? origin.position : `${origin.position} record ${records}`;
        yield { ...item, origin: { ...origin, position } };
      }
      if (records === 0) yield { ...failure(letter), message: `${origin.source} is a container file without records.` };
    }
  }

  return (viewer, where, first) => serially(() => replay(viewer, where, first));
}

function failure({ reason, message, origin, survey, schemaFingerprint }: WholeDeadLetter): DeadLetter {
  return { reason, message, origin, survey, bytes: null, schemaFingerprint };
}

/** Ids of letters that are in memory together. */
function* sharesOf(page: readonly StoredDeadLetter[]): Generator<bigint[]> {
  let share: bigint[] = [];
  let bytes = 0;
  for (const { id, bytesKept } of page) {
    if (share.length > 0 && bytes + bytesKept > BYTES_AT_ONCE) {
      yield share;
      [share, bytes] = [[], 0];
    }
    share.push(id);
    bytes += bytesKept;
  }
  if (share.length > 0) yield share;
}
