// What every archive does with dead letters and counterpart pairs: once each, in order. Called with each engine's stores
// by its tests.
import { beforeEach, describe, expect, it } from "vitest";
import type { DeadLetter } from "../domain/packet.js";
import { testSurvey } from "../test/batches.js";
import { viewers } from "../test/skyworld.js";
import type { CounterpartStore } from "./counterparts.store.js";
import type { DeadLetterStore, StoredDeadLetter } from "./deadletters.store.js";
import type { CounterpartPair } from "./links.store.js";

const SURVEYS = [testSurvey("ZTF")];

export interface JournalArchive {
  readonly deadLetters: DeadLetterStore;
  readonly counterparts: CounterpartStore;
}
const owner = viewers.find(({ mayChange }) => mayChange)!;
const visitor = viewers.find(({ mayChange }) => !mayChange)!;

const letter = (n: number): DeadLetter => ({
  reason: n % 2 === 0 ? "MALFORMED" : "NOT_AVRO",
  message: `Letter ${n}`,
  origin: { source: "file.tar!a'\\b", position: `record ${n}` },
  survey: n % 3 === 0 ? null : "ZTF",
  bytes: n % 5 === 0 ? null : Uint8Array.of(0, 255, 128, 10, 10, n),
  schemaFingerprint: n % 2 === 0 ? null : "0123456789abcdef",
});
const pair = (n: number): CounterpartPair => ({
  a: { survey: "ZTF", objectId: `ZTF${n}` },
  b: { survey: "LSST", objectId: `${n}` },
  separationArcsec: n / 7,
});

export function journalContract(
  open: (surveys: typeof SURVEYS) => Promise<JournalArchive>,
  reopen: () => Promise<JournalArchive>,
) {
  describe("dead letters", () => {
    let archive: JournalArchive;
    beforeEach(async () => {
      archive = await open(SURVEYS);
    });
    const all = async (first: number) => {
      const letters: StoredDeadLetter[] = [];
      for (;;) {
        const page = await archive.deadLetters.page(owner, first, letters.at(-1) ?? null);
        letters.push(...page);
        if (page.length < first) return letters;
      }
    };

    it("are kept once, whole, newest first", async () => {
      const letters = Array.from({ length: 25 }, (_, n) => letter(n));
      await archive.deadLetters.add([...letters.slice(0, 10), ...letters.slice(0, 10)]);
      await Promise.all([archive.deadLetters.add(letters), archive.deadLetters.add(letters)]);
      const kept = await all(4);
      const byTime = [...kept].sort((a, b) => b.receivedAt - a.receivedAt || (a.id < b.id ? 1 : -1));
      expect(kept).toEqual(byTime);
      const plain = (whole: DeadLetter) => ({
        ...whole,
        bytes: whole.bytes && [...whole.bytes],
        id: undefined,
        receivedAt: undefined,
      });
      const inOrder = (a: { message: string }, b: { message: string }) => (a.message < b.message ? -1 : 1);
      expect(kept.map(plain).sort(inOrder)).toEqual(letters.map(plain).sort(inOrder));
    });

    it("keep a megabyte of the bytes", async () => {
      const long = { ...letter(1), bytes: new Uint8Array(1024 ** 2 + 5).fill(7) };
      await archive.deadLetters.add([long]);
      expect((await all(10)).map(({ bytes }) => bytes?.length)).toEqual([1024 ** 2]);
    });

    it("are for those who may change something", async () => {
      await archive.deadLetters.add([letter(1)]);
      expect(await archive.deadLetters.page(visitor, 10, null)).toEqual([]);
    });
  });

  describe("counterpart pairs", () => {
    it("are numbered once each, whichever end was met first, over restarts too", async () => {
      const { counterparts } = await open(SURVEYS);
      expect(await counterparts.since(0n, 10)).toEqual([]);
      const turned = ({ a, b, separationArcsec }: CounterpartPair) => ({ a: b, b: a, separationArcsec });
      await Promise.all([
        counterparts.add(1n, [pair(1), pair(2), turned(pair(1))]),
        counterparts.add(2n, [turned(pair(2)), pair(3)]),
      ]);
      const again = (await reopen()).counterparts;
      await again.add(3n, [pair(3), pair(4)]);
      const found = await again.since(0n, 10);
      expect(found.map(({ seq }) => seq)).toEqual([1n, 2n, 3n, 4n]);
      expect(found.map(({ a, b }) => [a.objectId, b.objectId].sort())).toEqual(
        [1, 2, 3, 4].map((n) => [`${n}`, `ZTF${n}`]),
      );
      expect(found.map(({ separationArcsec }) => separationArcsec)).toEqual([1 / 7, 2 / 7, 3 / 7, 4 / 7]);
      expect(await again.since(1n, 2)).toEqual(found.slice(1, 3));
    });
  });
}
