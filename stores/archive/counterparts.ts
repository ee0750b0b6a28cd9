// CounterpartStore on ClickHouse. Made by stores.ts.
import pLimit from "p-limit";
import type { CounterpartStore } from "../counterparts.store.js";
import { type CounterpartPair, objectKey } from "../links.store.js";
import { bigints, blockOf, eachRow, floats, numbers, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

export class ArchiveCounterparts implements CounterpartStore {
  /** One at a time: each looks for what is there, then takes the next seqs. */
  readonly #serially = pLimit(1);

  private constructor(
    private readonly client: ArchiveClient,
    private last: bigint,
  ) {}

  static async start(client: ArchiveClient): Promise<ArchiveCounterparts> {
    const block = await client.query("SELECT seq FROM counterparts ORDER BY seq DESC LIMIT 1");
    return new ArchiveCounterparts(client, bigints(block, "seq")[0] ?? 0n);
  }

  add(batchId: bigint, pairs: readonly CounterpartPair[]): Promise<void> {
    return this.#serially(async () => {
      const byKey = new Map(pairs.map(ordered).map((pair) => [keyOf(pair), pair]));
      if (byKey.size === 0) return;
      const asked = blockOf(byKey.size, pairColumns([...byKey.values()]));
      const present = await this.client.query(
        `SELECT surveyA, objectIdA, surveyB, objectIdB, separationArcsec, seq FROM counterparts
        WHERE (surveyA, objectIdA, surveyB, objectIdB) IN (SELECT surveyA, objectIdA, surveyB, objectIdB FROM asked)`,
        {},
        { external: [{ name: "asked", block: asked }] },
      );
      for (const pair of pairsOf(present)) byKey.delete(keyOf(pair));
      const fresh = [...byKey.values()];
      await this.client.insert(
        "counterparts",
        blockOf(fresh.length, {
          ...pairColumns(fresh),
          separationArcsec: floats(Float64Array.from(fresh, (pair) => pair.separationArcsec)),
          seq: unsigned(BigUint64Array.from(fresh, () => ++this.last)),
          batch: unsigned(new BigUint64Array(fresh.length).fill(batchId)),
        }),
      );
    });
  }

  async since(after: bigint, first: number): Promise<(CounterpartPair & { seq: bigint })[]> {
    const block = await this.client.query(
      `SELECT surveyA, objectIdA, surveyB, objectIdB, separationArcsec, seq FROM counterparts
      WHERE seq > {after:UInt64} ORDER BY seq LIMIT {first:UInt32}`,
      { after, first },
    );
    return pairsOf(block);
  }
}

/** The pair with its ends in the order of their keys: the same pair whichever end was met first. */
function ordered(pair: CounterpartPair): CounterpartPair {
  const { a, b, separationArcsec } = pair;
  return a.survey < b.survey || (a.survey === b.survey && a.objectId <= b.objectId)
    ? pair
    : { a: b, b: a, separationArcsec };
}

const keyOf = ({ a, b }: CounterpartPair): string => `${objectKey(a)} ${objectKey(b)}`;

const pairColumns = (pairs: readonly CounterpartPair[]) => ({
  surveyA: texts(pairs.map(({ a }) => a.survey)),
  objectIdA: texts(pairs.map(({ a }) => a.objectId)),
  surveyB: texts(pairs.map(({ b }) => b.survey)),
  objectIdB: texts(pairs.map(({ b }) => b.objectId)),
});

function pairsOf(block: Parameters<typeof strings>[0]): (CounterpartPair & { seq: bigint })[] {
  const surveyA = strings(block, "surveyA");
  const objectIdA = strings(block, "objectIdA");
  const surveyB = strings(block, "surveyB");
  const objectIdB = strings(block, "objectIdB");
  const separationArcsec = numbers(block, "separationArcsec");
  const seq = bigints(block, "seq");
  return eachRow(block, (row) => ({
    a: { survey: surveyA[row]!, objectId: objectIdA[row]! },
    b: { survey: surveyB[row]!, objectId: objectIdB[row]! },
    separationArcsec: separationArcsec[row]!,
    seq: seq[row]!,
  }));
}
