// What every SourceLinkStore must do. Run on each engine by stores/graph/graph.contract.ts.
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { type ObjectKey, objectKey } from "./links.store.js";
import type { StoredMatch } from "./matches.store.js";
import { type Host, type ObjectSources, type SourceLinkStore, sourceKey } from "./sources.store.js";

/** `open` gives the store of one graph; what else is in it must not matter. */
export function sourceLinkContract(open: () => Promise<SourceLinkStore>): void {
  describe("links to catalogs' sources", () => {
    let links: SourceLinkStore;
    const run = randomUUID();
    const catalog = `ned ${run}`;
    const object = (name: string): ObjectKey => ({ survey: "ZTF", objectId: `${run}-${name}` });
    const match = (sourceId: string, separationArcsec: number): StoredMatch => ({
      ...{ catalog, sourceId, ra: 10, dec: -20.5, separationArcsec },
      fields: { z: 0.05 },
      ...{ version: "1", revision: 1_790_000_000_000 },
    });
    const host = (sourceId: string, separationArcsec: number, distanceKpc: number | null = null): Host => {
      return { catalog, sourceId, separationArcsec, distanceKpc, version: "1" };
    };
    const at = (name: string, jd: number, matches: StoredMatch[], own: Host | null): ObjectSources => {
      return { object: object(name), jd, matches, host: own };
    };
    const hostedBy = async (sourceId: string) => {
      const key = { catalog, sourceId };
      const found = (await links.hosted([key, key])).get(sourceKey(key)) ?? [];
      return found.map(({ objectId, separationArcsec, distanceKpc }) => [
        objectId.slice(run.length + 1),
        separationArcsec,
        distanceKpc,
      ]);
    };

    beforeAll(async () => {
      links = await open();
    });

    it("give the objects of one host, nearest first", async () => {
      const galaxy = match("galaxy", 3);
      await links.linkSources([
        at("far", 1, [match("galaxy", 20.5), match("star", 0.5)], host("galaxy", 20.5, 20.5)),
        at("near", 1, [galaxy], host("galaxy", 3, 3)),
        at("none", 1, [match("star", 1)], null),
      ]);
      expect(await hostedBy("galaxy")).toEqual([
        ["near", 3, 3],
        ["far", 20.5, 20.5],
      ]);
      expect(await hostedBy("star")).toEqual([]);
      expect(await links.hosted([])).toEqual(new Map());
    });

    it("are those of the latest alert, written as often as one likes", async () => {
      const [first, second] = [
        at("moves", 5.25, [match("a", 1)], host("a", 1)),
        at("moves", 6.5, [match("b", 2)], host("b", 2, 7)),
      ];
      for (const one of [first, first, second, second, first]) await links.linkSources([one]);
      expect(await hostedBy("a")).toEqual([]);
      expect(await hostedBy("b")).toEqual([["moves", 2, 7]]);
      // The same alert matched again.
      await links.linkSources([at("moves", 6.5, [match("c", 1)], host("c", 1))]);
      expect([await hostedBy("b"), await hostedBy("c")]).toEqual([[], [["moves", 1, null]]]);
      const asked = [5.25, 6.5].map((jd) => ({ object: object("moves"), jd }));
      expect(await links.linkedAt([asked[0]!])).toEqual([]);
      expect((await links.linkedAt([asked[1]!, { object: object("unknown"), jd: 1 }])).map(objectKey)).toEqual([
        objectKey(object("moves")),
      ]);
      await links.linkSources([at("moves", 7, [], null)]);
      expect(await hostedBy("c")).toEqual([]);
    });

    it("of many objects come in pieces, and go with their catalog", async () => {
      const many = Array.from({ length: 1_500 }, (_, n) =>
        at(`m${n}`, 1, [match(`m${n % 700}`, n), match("hub", n)], host(`m${n % 700}`, n)),
      );
      await links.linkSources(many);
      expect(await hostedBy("m3")).toEqual([
        ["m3", 3, null],
        ["m703", 703, null],
        ["m1403", 1403, null],
      ]);
      await links.withdraw([]);
      expect(await hostedBy("m3")).toEqual([]);
      await links.withdraw([]);
    });
  });
}
