// What every FilterStore must do. Run on each engine by stores/graph/graph.contract.ts.
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { FilterStore, NewFilter } from "./filters.store.js";

/** `open` gives the store to test, `openOther` one as another process has it; what else is in them must not matter. */
export function filterStoreContract(open: () => Promise<FilterStore>, openOther: () => Promise<FilterStore>): void {
  describe("filter store", () => {
    let store: FilterStore;
    beforeAll(async () => {
      store = await open();
    });
    const run = randomUUID();
    const bright: NewFilter = {
      name: `${run} bright`,
      survey: "ZTF",
      where: "magpsf < 17 and rb > 0.5",
      annotations: [{ name: "colour", expression: "magpsf - 'a \"quoted\" \\ text'" }],
      active: true,
    };

    it("creates a filter with version 1 and gives it back whole", async () => {
      const before = Date.now();
      const filter = await store.create(bright);
      expect(filter).toMatchObject({ name: bright.name, survey: "ZTF", active: true });
      expect(filter.versions).toHaveLength(1);
      const [version] = filter.versions;
      expect(version).toMatchObject({
        number: 1,
        where: bright.where,
        annotations: bright.annotations,
        changelog: null,
      });
      expect(version!.createdAt).toBeGreaterThanOrEqual(before);
      expect(version!.createdAt).toBeLessThanOrEqual(Date.now());
      expect(await store.get(filter.id)).toEqual(filter);
    });

    it("answers null for an id that does not exist", async () => {
      expect(await store.get(randomUUID())).toBeNull();
      expect(await store.update(randomUUID(), { active: false })).toBeNull();
      expect(await store.byIds([randomUUID()])).toEqual(new Map());
      expect(await store.byIds([])).toEqual(new Map());
    });

    it("keeps text exactly, Cypher in it included", async () => {
      const name = `${run} "}) DETACH DELETE f // ' \\ \u{1F52D} \n $id`;
      const filter = await store.create({ ...bright, name, where: "objectId = 'Ω' -- \\u0000", annotations: [] });
      const found = await store.get(filter.id);
      expect(found?.name).toBe(name);
      expect(found?.versions[0]).toMatchObject({ where: "objectId = 'Ω' -- \\u0000", annotations: [] });
    });

    it("adds a version when where or annotations change, and only then", async () => {
      const { id } = await store.create(bright);
      await store.update(id, { name: `${run} renamed`, active: false });
      await store.update(id, { where: bright.where, annotations: bright.annotations });
      let filter = await store.get(id);
      expect(filter).toMatchObject({ name: `${run} renamed`, active: false });
      expect(filter?.versions).toHaveLength(1);

      await store.update(id, { where: "magpsf < 16", changelog: "brighter" });
      const updated = await store.update(id, { annotations: [] });
      filter = await store.get(id);
      expect(updated).toEqual(filter);
      expect(filter).toMatchObject({ name: `${run} renamed`, active: false });
      expect(
        filter?.versions.map(({ number, where, annotations, changelog }) => [number, where, annotations, changelog]),
      ).toEqual([
        [1, bright.where, bright.annotations, null],
        [2, "magpsf < 16", bright.annotations, "brighter"],
        [3, "magpsf < 16", [], null],
      ]);
    });

    it("gives concurrent updates different numbers and loses none", async () => {
      const { id } = await store.create(bright);
      const texts = Array.from({ length: 12 }, (_, i) => `magpsf < ${i}`);
      await Promise.all([...texts.map((where) => store.update(id, { where })), store.update(id, { active: false })]);
      const filter = await store.get(id);
      expect(filter?.active).toBe(false);
      expect(filter?.versions.map(({ number }) => number)).toEqual(Array.from({ length: 13 }, (_, i) => i + 1));
      expect(new Set(filter?.versions.slice(1).map(({ where }) => where))).toEqual(new Set(texts));
    });

    it("finds many by id at once, each once", async () => {
      const a = await store.create(bright);
      const b = await store.create({ ...bright, survey: "LSST" });
      const found = await store.byIds([b.id, a.id, a.id, randomUUID()]);
      expect(found).toEqual(
        new Map([
          [a.id, a],
          [b.id, b],
        ]),
      );
    });

    it("pages by name and then id, without gap or repeat", async () => {
      const prefix = `${run} page`;
      const names = ["b", "a", "a", "Z", "é", "a", "\u{1F52D}", "", "c"];
      const made = await Promise.all(names.map((name) => store.create({ ...bright, name: `${prefix} ${name}` })));
      const seen: { name: string; id: string }[] = [];
      let after = { name: prefix, id: "" };
      while (seen.length < made.length) {
        const page = await store.list(2, after);
        expect(page.length).toBeGreaterThan(0);
        expect(page.length).toBeLessThanOrEqual(2);
        seen.push(...page.map(({ name, id }) => ({ name, id })));
        after = seen.at(-1)!;
      }
      const expected = made
        .map(({ name, id }) => ({ name, id }))
        .sort((x, y) => order(x.name, y.name) || order(x.id, y.id));
      expect(seen.slice(0, made.length)).toEqual(expected);
      expect(await store.list(1, null)).toHaveLength(1);
    });

    it("lists the active ones", async () => {
      const on = await store.create(bright);
      const off = await store.create({ ...bright, active: false });
      let ids = (await store.active()).map(({ id }) => id);
      expect(ids).toContain(on.id);
      expect(ids).not.toContain(off.id);
      await store.update(on.id, { active: false });
      await store.update(off.id, { active: true });
      ids = (await store.active()).map(({ id }) => id);
      expect(ids).toContain(off.id);
      expect(ids).not.toContain(on.id);
    });

    it("keeps a stream until it is ended, and where it began", async () => {
      const plain = await store.create(bright);
      expect(plain.stream).toBeNull();
      const streamed = await store.create({ ...bright, stream: { format: "AVRO", after: 2n ** 63n } });
      expect(streamed.stream).toEqual({ format: "AVRO", after: 2n ** 63n });
      expect(await store.get(streamed.id)).toEqual(streamed);
      const { id } = plain;
      expect((await store.update(id, { stream: { format: "JSON", after: 7n } }))?.stream?.after).toBe(7n);
      const renamed = await store.update(id, { name: `${run} renamed`, where: "magpsf < 3" });
      expect(renamed?.stream).toEqual({ format: "JSON", after: 7n });
      expect(renamed?.versions).toHaveLength(2);
      const same = await store.update(id, { stream: { format: "JSON", after: 9n } });
      expect(same?.stream).toEqual({ format: "JSON", after: 7n });
      expect((await store.streams()).get(id)).toEqual({ format: "JSON", after: 7n });
      const other = await store.update(id, { stream: { format: "AVRO", after: 9n } });
      expect(other?.stream).toEqual({ format: "AVRO", after: 9n });
      expect((await store.update(id, { stream: null, active: false }))?.stream).toBeNull();
      expect((await store.streams()).has(id)).toBe(false);
      expect((await store.streams()).get(streamed.id)).toEqual(streamed.stream);
      const again = await store.update(id, { stream: { format: "AVRO", after: 11n } });
      expect(again?.stream).toEqual({ format: "AVRO", after: 11n });
      expect((await store.streams()).get(id)?.after).toBe(11n);
    });

    it("hears of what another process changes, and of what was changed before it follows", async () => {
      const other = await openOther();
      const { id } = await other.create({ ...bright, active: false });
      const seen: boolean[] = [];
      const leave = store.onChange(async () => {
        seen.push((await store.get(id))!.active);
      });
      const end = store.follow();
      await vi.waitFor(() => expect(seen).toEqual([false]));
      await other.update(id, { active: true });
      await vi.waitFor(() => expect(seen).toEqual([false, true]), 5_000);
      await store.update(id, { active: false });
      await vi.waitFor(() => expect(seen).toEqual([false, true, false]));
      await Promise.all(Array.from({ length: 5 }, (_, i) => other.update(id, { name: `${run} ${i}`, active: true })));
      await vi.waitFor(() => expect(seen.at(-1)).toBe(true), 5_000);
      end();
      leave();
    });

    it("tells listeners after a change is stored, until they leave", async () => {
      const seen: number[] = [];
      const stop = store.onChange(async () => {
        const count = (await store.active()).filter(({ name }) => name === `${run} told`).length;
        seen.push(count);
      });
      const filter = await store.create({ ...bright, name: `${run} told` });
      await vi.waitFor(() => expect(seen).toEqual([1]));
      await store.update(filter.id, { active: false });
      await vi.waitFor(() => expect(seen).toEqual([1, 0]));
      stop();
      await store.update(filter.id, { active: true });
      expect(seen).toEqual([1, 0]);
    });
  });
}

/** By code points, as both engines order text. */
function order(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
