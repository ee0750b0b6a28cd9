// CounterpartStore on ClickHouse, and the rows of pairs that sequence.ts numbers. Made by stores.ts.
import type { CounterpartStore } from "../counterparts.store.js";
import { type CounterpartPair, objectKey } from "../links.store.js";
import { bigints, blockOf, eachRow, floats, numbers, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient, InsertOptions } from "./client.js";

export interface NumberedPair extends CounterpartPair {
  readonly seq: bigint;
}

const COLUMNS = "surveyA, objectIdA, surveyB, objectIdB, separationArcsec";

export class ArchiveCounterparts implements CounterpartStore {
  constructor(private readonly client: ArchiveClient) {}

  async found(batchId: bigint, pairs: readonly CounterpartPair[]): Promise<void> {
    const batch = unsigned(new BigUint64Array(pairs.length).fill(batchId));
    await this.client.insert(
      "counterparts_found",
      blockOf(pairs.length, { ...pairColumns(pairs.map(upright)), batch }),
    );
  }

  async since(after: bigint, first: number): Promise<NumberedPair[]> {
    const block = await this.client.query(
      `SELECT seq, ${COLUMNS} FROM counterparts WHERE seq > {after:UInt64}
      ORDER BY seq LIMIT 1 BY seq LIMIT {first:UInt32}`,
      { after, first },
    );
    const seq = bigints(block, "seq");
    return pairsOf(block).map((pair, row) => ({ ...pair, seq: seq[row]! }));
  }
}

/** The pair with its ends in the order of their keys: the same pair whichever end was met first. */
export function upright(pair: CounterpartPair): CounterpartPair {
  const { a, b, separationArcsec } = pair;
  return a.survey < b.survey || (a.survey === b.survey && a.objectId <= b.objectId)
    ? pair
    : { a: b, b: a, separationArcsec };
}

/** Of an upright pair. */
export const pairKey = ({ a, b }: CounterpartPair): string => `${objectKey(a)} ${objectKey(b)}`;

/** What these batches found, in their order. */
export async function foundPairs(client: ArchiveClient, batches: readonly bigint[]): Promise<CounterpartPair[]> {
  const block = await client.query(
    `SELECT ${COLUMNS} FROM counterparts_found WHERE batch IN {batches:Array(UInt64)}
    ORDER BY batch, surveyA, objectIdA, surveyB, objectIdB`,
    { batches },
  );
  return pairsOf(block);
}

/** Keys of those that have a seq already. */
export async function pairsWithSeq(client: ArchiveClient, pairs: readonly CounterpartPair[]): Promise<string[]> {
  if (pairs.length === 0) return [];
  const { separationArcsec: _, ...key } = pairColumns(pairs);
  const block = await client.query(
    `SELECT ${COLUMNS} FROM counterparts
    WHERE (surveyA, objectIdA, surveyB, objectIdB) IN (SELECT surveyA, objectIdA, surveyB, objectIdB FROM asked)`,
    {},
    { external: [{ name: "asked", block: blockOf(pairs.length, key) }] },
  );
  return pairsOf(block).map(pairKey);
}

export async function insertPairs(
  client: ArchiveClient,
  pairs: readonly NumberedPair[],
  options: InsertOptions,
): Promise<void> {
  const seq = unsigned(BigUint64Array.from(pairs, (pair) => pair.seq));
  await client.insert("counterparts", blockOf(pairs.length, { seq, ...pairColumns(pairs) }), options);
}

const pairColumns = (pairs: readonly CounterpartPair[]) => ({
  surveyA: texts(pairs.map(({ a }) => a.survey)),
  objectIdA: texts(pairs.map(({ a }) => a.objectId)),
  surveyB: texts(pairs.map(({ b }) => b.survey)),
  objectIdB: texts(pairs.map(({ b }) => b.objectId)),
  separationArcsec: floats(Float64Array.from(pairs, (pair) => pair.separationArcsec)),
});

function pairsOf(block: Parameters<typeof strings>[0]): CounterpartPair[] {
  const surveyA = strings(block, "surveyA");
  const objectIdA = strings(block, "objectIdA");
  const surveyB = strings(block, "surveyB");
  const objectIdB = strings(block, "objectIdB");
  const separationArcsec = numbers(block, "separationArcsec");
  return eachRow(block, (row) => ({
    a: { survey: surveyA[row]!, objectId: objectIdA[row]! },
    b: { survey: surveyB[row]!, objectId: objectIdB[row]! },
    separationArcsec: separationArcsec[row]!,
  }));
}
