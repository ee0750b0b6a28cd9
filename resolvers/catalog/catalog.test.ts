// Catalogs through the schema, on a real archive; the separations are astropy's in stores/archive/catalogs.test.ts.
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { graphql } from "graphql";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createCatalogs } from "../../cli/catalogs.js";
import { createKeeper, type Keeper } from "../../cli/catalogs.keeper.js";
import { createUploads } from "../../cli/catalogs.uploads.js";
import type { Viewer } from "../../domain/viewer.js";
import { createClaims } from "../../ingest/claims.js";
import { SURVEYS } from "../../ingest/surveys/index.js";
import { ArchiveCatalogs } from "../../stores/archive/catalogs.js";
import { up } from "../../stores/archive/migrations/0010-catalogs.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { buildTocsinSchema } from "../build.js";

const schema = buildTocsinSchema(SURVEYS.map(({ description }) => description));
let archive: TestArchive;
let store: ArchiveCatalogs;
let keeper: Keeper;
let folder: string;

beforeAll(async () => {
  archive = await startTestArchive();
  await up(archive.client);
  store = await ArchiveCatalogs.open(archive.client);
  folder = await mkdtemp(join(tmpdir(), "tocsin-keeper-"));
  keeper = createKeeper(createCatalogs(store, createClaims(null)), folder, createUploads(join(folder, "uploads")));
  await writeFile(
    join(folder, "a.csv"),
    "source_id,ra,dec,v\n9007199254740993,10,20,1.5\n2,10.0001,20,\n3,200,-45,3\n",
  );
  await symlink("/etc/hostname", join(folder, "link.csv"));
}, 60_000);
afterAll(async () => {
  await keeper?.close();
  await archive?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function ask(source: string, mayChange = true) {
  const viewer: Viewer = { scope: mayChange ? "owner" : "anybody", programids: new Map(), mayChange } as Viewer;
  const contextValue = {
    viewer,
    stores: { catalogs: store },
    services: { catalogs: keeper },
    breathe: () => undefined,
  };
  const { data, errors } = await graphql({ schema, source, contextValue });
  if (errors !== undefined) throw errors[0]!.originalError ?? errors[0];
  return JSON.parse(JSON.stringify(data)) as Record<string, never>;
}

const LOADS = "{ catalogLoads { name done finished error sources } }";
const finished = () =>
  vi.waitFor(
    async () => {
      type Loads = { catalogLoads: { finished: boolean }[] };
      const { catalogLoads } = (await ask(LOADS)) as unknown as Loads;
      expect(catalogLoads.every((load) => load.finished)).toBe(true);
      return catalogLoads;
    },
    { timeout: 20_000 },
  );

describe("catalogs in the API", () => {
  it("are added from the folder, are queried, and are removed", async () => {
    const add = `mutation { addCatalog(input: { name: "mine", files: ["a.csv"], radiusArcsec: 2, title: "Mine", licence: "CC0" }) { name finished } }`;
    await expect(ask(add, false)).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    await ask(add);
    expect(await finished()).toMatchObject([{ name: "mine", error: null, done: 1, sources: "3" }]);
    expect(
      await ask(
        '{ catalog(name: "mine") { state revision title licence sources rejected columns { name type } files { name } } }',
      ),
    ).toEqual({
      catalog: {
        state: "ACTIVE",
        revision: "1",
        title: "Mine",
        licence: "CC0",
        sources: "3",
        rejected: "0",
        columns: [{ name: "v", type: "Float64" }],
        files: [{ name: "a.csv" }],
      },
    });
    const near =
      await ask(`{ catalogSources(catalogs: ["mine"], positions: [{ name: "p", ra: 10, dec: 20 }, { ra: 0, dec: 0 }]) {
      name catalogs { catalog sources { id separationArcsec fields } } } }`);
    expect(near).toEqual({
      catalogSources: [
        {
          name: "p",
          catalogs: [
            {
              catalog: "mine",
              sources: [
                { id: "9007199254740993", separationArcsec: 0, fields: { v: 1.5 } },
                {
                  id: "2",
                  separationArcsec: expect.closeTo(0.36 * Math.cos((20 * Math.PI) / 180), 6),
                  fields: { v: null },
                },
              ],
            },
          ],
        },
        { name: null, catalogs: [{ catalog: "mine", sources: [] }] },
      ],
    });
    const cone = (
      rest: string,
    ) => `{ catalogCone(catalog: "mine", cone: { ra: 10, dec: 20, radiusArcsec: 60 }, first: 1 ${rest}) {
      edges { node { id } cursor } pageInfo { hasNextPage endCursor } } }`;
    type Page = {
      catalogCone: {
        edges: { node: { id: string }; cursor: string }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
    };
    const first = (await ask(cone(""))) as unknown as Page;
    expect(first.catalogCone).toMatchObject({
      edges: [{ node: { id: "9007199254740993" } }],
      pageInfo: { hasNextPage: true },
    });
    const second = (await ask(cone(`after: "${first.catalogCone.pageInfo.endCursor}"`))) as unknown as Page;
    expect(second.catalogCone).toMatchObject({ edges: [{ node: { id: "2" } }], pageInfo: { hasNextPage: false } });
    expect(await ask('mutation { removeCatalog(name: "mine") }')).toEqual({ removeCatalog: true });
    await expect(ask(cone(""))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("come from no other folder, and tell what is wrong", async () => {
    const add = (file: string, more = "radiusArcsec: 2") =>
      ask(`mutation { addCatalog(input: { name: "bad", files: ["${file}"], ${more} }) { name } }`);
    for (const file of ["../a.csv", "/etc/hostname", "link.csv", "absent.csv", ".hidden"]) {
      await expect(add(file)).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
    await expect(add("a.csv", 'title: "x"')).rejects.toMatchObject({ code: "BAD_CATALOG" });
    await expect(add("a.csv", 'radiusArcsec: 2, types: ["v=number"]')).rejects.toMatchObject({
      code: "BAD_CATALOG",
      message: expect.stringMatching(/v=number/),
    });
    await add("a.csv", 'radiusArcsec: 2, types: ["v=String"]');
    await finished();
    expect(await ask('{ catalog(name: "bad") { columns { name type } } }')).toEqual({
      catalog: { columns: [{ name: "v", type: "String" }] },
    });
    await add("a.csv", 'radiusArcsec: 2, ra: "nope"');
    expect((await finished()).at(-1)).toMatchObject({
      name: "bad",
      error: expect.stringMatching(/no column named nope.*--ra/),
    });
    await expect(
      ask('{ catalogSources(catalogs: ["none"], positions: [{ ra: 1, dec: 1 }]) { ra } }'),
    ).rejects.toMatchObject({ code: "NOT_FOUND" });
    const far = '{ catalogSources(catalogs: ["none"], positions: [{ ra: 1, dec: 91 }], radiusArcsec: 1) { ra } }';
    await expect(ask(far)).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    const { knownCatalogs } = (await ask("{ knownCatalogs { name radiusArcsec columns } }")) as unknown as {
      knownCatalogs: unknown[];
    };
    expect(knownCatalogs.length).toBeGreaterThanOrEqual(40);
  });
});
