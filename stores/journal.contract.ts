// What every archive does with dead letters: once each, newest first. Called with each engine's stores by its tests.
import { beforeEach, describe, expect, it } from "vitest";
import type { DeadLetter } from "../domain/packet.js";
import { testSurvey } from "../test/batches.js";
import { viewers } from "../test/skyworld.js";
import type { DeadLetterStore, LetterConditions, StoredDeadLetter } from "./deadletters.store.js";

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
        const page = await archive.deadLetters.page(owner, {}, first, letters.at(-1) ?? null);
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
      const whole = await archive.deadLetters.whole(
        owner,
        kept.map(({ id }) => id),
      );
      expect(whole.map(({ id }) => id)).toEqual(kept.map(({ id }) => id));
      const plain = ({ bytes, ...rest }: DeadLetter) => ({ ...rest, bytes: bytes && [...bytes] });
      const told = whole.map(({ id: _, receivedAt: __, bytesKept: ___, replayedAt, ...rest }) => {
        expect(replayedAt).toBeNull();
        return plain(rest);
      });
      const inOrder = (a: { message: string }, b: { message: string }) => (a.message < b.message ? -1 : 1);
      expect(told.sort(inOrder)).toEqual(letters.map(plain).sort(inOrder));
      expect(kept.map(({ bytesKept }) => bytesKept)).toEqual(whole.map(({ bytes }) => bytes?.length ?? 0));
    });

    it("keep 16 MiB of the bytes", async () => {
      const long = { ...letter(1), bytes: new Uint8Array(16 * 1024 ** 2 + 5).fill(7) };
      await archive.deadLetters.add([long]);
      const [kept] = await all(10);
      expect(kept!.bytesKept).toBe(16 * 1024 ** 2);
      const [whole] = await archive.deadLetters.whole(owner, [kept!.id]);
      expect(Buffer.compare(whole!.bytes!, long.bytes.subarray(0, 16 * 1024 ** 2))).toBe(0);
    });

    it("keep the schema of a bare record, and where in Kafka it was", async () => {
      const schema = { fingerprint: "fedcba9876543210", text: '{"type":"record","name":"r","fields":[]}' };
      const origin = { source: "topic", position: "partition 3 offset 9007199254740993", partition: 3 };
      const bare = {
        ...letter(2),
        origin: { ...origin, offset: 9007199254740993n },
        schema,
        schemaFingerprint: schema.fingerprint,
      };
      await archive.deadLetters.add([bare, letter(1)]);
      const [found] = await archive.deadLetters.page(owner, { source: "top" }, 10, null);
      const [whole] = await archive.deadLetters.whole(owner, [found!.id]);
      expect(whole).toMatchObject({ schema, origin: bare.origin });
    });

    it("are found by reason, survey, source, time and id", async () => {
      const letters = Array.from({ length: 12 }, (_, n) => letter(n));
      await archive.deadLetters.add(letters);
      const kept = await all(100);
      const found = async (where: LetterConditions) =>
        (await archive.deadLetters.page(owner, where, 100, null)).map(({ message }) => message).sort();
      const expected = (which: (n: number) => boolean) =>
        letters.flatMap(({ message }, n) => (which(n) ? [message] : [])).sort();
      const at = kept[0]!.receivedAt;
      expect(await found({ reason: "MALFORMED" })).toEqual(expected((n) => n % 2 === 0));
      expect(await found({ survey: "ZTF", reason: "MALFORMED" })).toEqual(expected((n) => n % 2 === 0 && n % 3 !== 0));
      expect(await found({ source: "file.tar!a'" })).toEqual(expected(() => true));
      expect(await found({ source: "%" })).toEqual([]);
      expect(await found({ received: { from: at, to: at + 1 } })).toEqual(expected(() => true));
      expect(await found({ received: { from: at + 1, to: at + 1000 } })).toEqual([]);
      expect(await found({ ids: [kept[3]!.id] })).toEqual([kept[3]!.message]);
      expect(await found({ replayed: true })).toEqual([]);
      expect(await found({ replayed: false })).toEqual(expected(() => true));
    });

    it("are for those who may change something", async () => {
      await archive.deadLetters.add([letter(1)]);
      expect(await archive.deadLetters.page(visitor, {}, 10, null)).toEqual([]);
      expect(await archive.deadLetters.whole(visitor, [(await all(10))[0]!.id])).toEqual([]);
    });
  });
}
