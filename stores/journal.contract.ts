// What every archive does with dead letters: once each, newest first. Called with each engine's stores by its tests.
import { beforeEach, describe, expect, it } from "vitest";
import type { DeadLetter } from "../domain/packet.js";
import { testSurvey } from "../test/batches.js";
import { viewers } from "../test/skyworld.js";
import type { DeadLetterStore, StoredDeadLetter } from "./deadletters.store.js";

const SURVEYS = [testSurvey("ZTF")];

export interface JournalArchive {
  readonly deadLetters: DeadLetterStore;
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
export function journalContract(open: (surveys: typeof SURVEYS) => Promise<JournalArchive>) {
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
}
