// Archives of light curves through a whole service: ZTF's real matchfile and one of rows at the places of real packets; at
// objects, in circles, with everything else that is known of a place; seen at once, replaced, removed.
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

const NIGHT = join(SHARED, "data/ztf/20231012");
const MATCHFILE = join(SHARED, "data/catalogs/ztf_matchfile_000250_zg_c01_q1_dr5.parquet");
const ARCSEC = 1 / 3600;

const MINE = {
  title: "Mine",
  id: ["id"],
  ra: ["ra"],
  dec: ["dec"],
  band: ["band"],
  time: { column: ["mjd"], kind: "mjd" },
  magnitude: ["mag"],
  flags: ["flags"],
  badFlags: 2 ** 31 + 1,
};

interface Place {
  readonly objectId: string;
  readonly ra: number;
  readonly dec: number;
}
let service: TestService;
let folder: string;
let places: Place[];

beforeAll(async () => {
  service = await startTestService();
  folder = join(service.dataDir, "catalogs");
  await mkdir(folder, { recursive: true });
  const names = (await readdir(NIGHT)).filter((name) => name.endsWith(".avro"));
  await service.ingest(...names.map((name) => join(NIGHT, name)));
  const { alerts } = await service.ask<{ alerts: { edges: { node: { object: Place } }[] } }>(
    "{ alerts(where: {survey: ZTF}) { edges { node { object { objectId ra dec } } } } }",
  );
  const objects = new Map(alerts.edges.map(({ node: { object } }) => [object.objectId, object]));
  places = [...objects.values()];
  expect(places.length).toBeGreaterThan(10);
}, 60_000);
afterAll(() => service?.close());

async function add(name: string, files: readonly string[], definition?: object): Promise<Record<string, unknown>> {
  const told = definition === undefined ? "" : `, definition: ${JSON.stringify(JSON.stringify(definition))}`;
  await service.ask(
    `mutation { addLightCurves(input: { name: "${name}", files: ${JSON.stringify(files)}${told} }) { name } }`,
  );
  let load: Record<string, unknown> | undefined;
  await expect
    .poll(
      async () => {
        const { lightCurveLoads } = await service.ask<{ lightCurveLoads: Record<string, unknown>[] }>(
          "{ lightCurveLoads { name done points finished error } }",
        );
        load = lightCurveLoads.at(-1);
        return load?.finished;
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  return load!;
}

/** Two curves of each place, an arcsecond north of it: three points in g, one in r. */
const rows = (more: readonly string[] = []): string => {
  const lines = places.flatMap(({ ra, dec }, n) => {
    const at = `${n},${ra},${dec + ARCSEC}`;
    return [
      `${at},g,60000.5,${18 + n / 64},0`,
      `${at},g,59999.5,18.5,1`,
      `${at},g,60001.5,18.25,2147483648`,
      `${at},r,60000.25,17,0`,
    ];
  });
  return `id,ra,dec,band,mjd,mag,flags\n${[...lines, ...more].join("\n")}\n`;
};

const POINTS = "points { edges { node { hmjd mjd bmjd magnitude magnitudeError colorCoefficient flags isGood } } }";
interface Curve {
  readonly archive: string;
  readonly sourceId: string;
  readonly band: string;
  readonly separationArcsec: number;
  readonly points: { edges: { node: Record<string, unknown> }[] };
}
const times = (curve: Curve, name = "mjd") => curve.points.edges.map(({ node }) => node[name]);

it("are added, joined to objects, replaced and removed beside the running service", async () => {
  await writeFile(join(folder, "mine.csv"), rows());
  expect(await add("mine", ["mine.csv"], MINE)).toMatchObject({
    name: "mine",
    done: 1,
    error: null,
    points: `${4 * places.length}`,
  });
  const ids = JSON.stringify(places.map(({ objectId }) => objectId));
  const archival = service.services.stores.archival;
  const [near, points] = [vi.spyOn(archival, "near"), vi.spyOn(archival, "points")];
  const ask = async (args: string) => {
    const fields = `archive sourceId band separationArcsec timeKind ${POINTS}`;
    const query = `{ objects(survey: ZTF, objectIds: ${ids}) { archivalLightCurves${args} { ${fields} } } }`;
    const { objects } = await service.ask<{ objects: { archivalLightCurves: Curve[] }[] }>(query);
    return objects.map(({ archivalLightCurves }) => archivalLightCurves);
  };
  const all = await ask("");
  expect([near.mock.calls.length, points.mock.calls.length]).toEqual([1, 1]);
  vi.restoreAllMocks();
  for (const [n, curves] of all.entries()) {
    expect(curves.map(({ archive, sourceId, band }) => [archive, sourceId, band])).toEqual([
      ["mine", `${n}`, "g"],
      ["mine", `${n}`, "r"],
    ]);
    expect(curves[0]!.separationArcsec).toBeCloseTo(1, 5);
    expect(curves[0]).toMatchObject({ timeKind: "MJD" });
    expect(times(curves[0]!)).toEqual([59_999.5, 60_000.5, 60_001.5]);
    expect(curves[0]!.points.edges.map(({ node }) => [node.flags, node.isGood])).toEqual([
      ["1", false],
      ["0", true],
      ["2147483648", false],
    ]);
    expect(curves[0]!.points.edges[1]!.node).toMatchObject({
      hmjd: null,
      bmjd: null,
      magnitude: 18 + n / 64,
      magnitudeError: null,
      colorCoefficient: null,
    });
  }
  expect((await ask("(goodOnly: true)")).map(([g]) => times(g!))).toEqual(places.map(() => [60_000.5]));
  expect((await ask("(radiusArcsec: 0.9)")).flat()).toEqual([]);
  expect((await ask("(first: 1)")).every((curves) => curves.length === 1)).toBe(true);
  await expect(ask("(radiusArcsec: 61)")).rejects.toThrow(/BAD_ARGUMENT.*at most 60/);
  await expect(ask('(archives: ["none"])')).rejects.toThrow(/NOT_FOUND.*no archive of light curves none/);

  // Replaced: what is asked next is of the new one.
  await writeFile(join(folder, "more.csv"), rows([`new,${places[0]!.ra},${places[0]!.dec},i,1,12,0`]));
  expect(await add("mine", ["more.csv"], MINE)).toMatchObject({ error: null });
  expect((await ask(""))[0]!.map(({ sourceId }) => sourceId)).toEqual(["new", "0", "0"]);
  const { lightCurveArchives } = await service.ask(
    "{ lightCurveArchives { name revision isLoading timeKind badFlags sources points files { name } } }",
  );
  expect(lightCurveArchives).toEqual([
    {
      name: "mine",
      revision: "2",
      isLoading: false,
      timeKind: "MJD",
      badFlags: "2147483649",
      sources: `${2 * places.length + 1}`,
      points: `${4 * places.length + 1}`,
      files: [{ name: "more.csv" }],
    },
  ]);
  // A file that is no good leaves it in place.
  await writeFile(join(folder, "bad.csv"), "id,ra,dec\n1,2,3\n");
  expect(await add("mine", ["bad.csv"], MINE)).toMatchObject({
    error: expect.stringMatching(/bad\.csv: it has no column named mjd.*definition/),
  });
  expect((await ask(""))[0]).toHaveLength(3);
});

it("of ZTF's matchfile come with heliocentric times, page by page; and with everything that is known of a place", async () => {
  await copyFile(MATCHFILE, join(folder, "matchfile.parquet"));
  expect(await add("ztf_dr", ["matchfile.parquet"])).toMatchObject({ error: null, points: "106588" });
  interface Page {
    readonly edges: { node: Curve; cursor: string }[];
    readonly pageInfo: { hasNextPage: boolean; endCursor: string };
  }
  const circle = "ra: 41.6671638, dec: -26.2298221, radiusArcsec: 120";
  const page = async (args: string, fields = "sourceId separationArcsec") => {
    const query = `{ archivalLightCurves(${circle}, archives: ["ztf_dr"], ${args}) { edges { cursor node { ${fields} } } pageInfo { hasNextPage endCursor } } }`;
    return (await service.ask<{ archivalLightCurves: Page }>(query)).archivalLightCurves;
  };
  const whole = await page(
    "first: 1000",
    "sourceId band separationArcsec fields points(first: 5) { edges { node { hmjd mjd magnitude magnitudeError flags isGood } } pageInfo { hasNextPage endCursor } }",
  );
  expect(whole.edges.length).toBeGreaterThan(3);
  // Row 1 of the file, as pyarrow reads it.
  expect(whole.edges[0]!.node).toMatchObject({
    sourceId: "250101100000001",
    band: "g",
    fields: { fieldid: 250, rcid: 0 },
    points: { pageInfo: { hasNextPage: true } },
  });
  expect(whole.edges[0]!.node.points.edges.slice(0, 2).map(({ node }) => node)).toEqual([
    {
      hmjd: 58_348.48046875,
      mjd: null,
      magnitude: 20.317974090576172,
      magnitudeError: 0.19439579546451569,
      flags: "32768",
      isGood: false,
    },
    {
      hmjd: 58_368.484375,
      mjd: null,
      magnitude: 20.85222625732422,
      magnitudeError: 0.20600998401641846,
      flags: "0",
      isGood: true,
    },
  ]);
  const paged: unknown[] = [];
  for (let after = ""; ; ) {
    const { edges, pageInfo } = await page(`first: 2${after}`);
    paged.push(...edges.map(({ node }) => node.sourceId));
    if (!pageInfo.hasNextPage) break;
    after = `, after: "${pageInfo.endCursor}"`;
  }
  expect(paged).toEqual(whole.edges.map(({ node }) => node.sourceId));
  const points: unknown[] = [];
  for (let after = ""; ; ) {
    const { edges } = await page(
      "first: 1",
      `points(first: 10${after}) { edges { node { hmjd } } pageInfo { hasNextPage endCursor } }`,
    );
    const got = edges[0]!.node.points as Curve["points"] & Pick<Page, "pageInfo">;
    points.push(...got.edges.map(({ node }) => node.hmjd));
    if (!got.pageInfo.hasNextPage) break;
    after = `, after: "${got.pageInfo.endCursor}"`;
  }
  expect(points).toHaveLength(23);
  expect(points).toEqual([...points].sort());
  await expect(page('first: 1, after: "eA"')).rejects.toThrow(/BAD_CURSOR/);

  await writeFile(join(folder, "stars.csv"), `id,ra,dec,mag\n7,${places[0]!.ra},${places[0]!.dec},11.5\n`);
  await service.ask(
    'mutation { addCatalog(input: { name: "stars", files: ["stars.csv"], radiusArcsec: 5 }) { name } }',
  );
  await expect
    .poll(
      async () =>
        (await service.ask<{ catalogs: { state: string }[] }>("{ catalogs { state } }")).catalogs.map(
          ({ state }) => state,
        ),
      { timeout: 20_000 },
    )
    .toEqual(["ACTIVE"]);
  const { ra, dec, objectId } = places[0]!;
  const here = (args: string) =>
    service.ask(`{ everythingHere(${args}) {
      objects { edges { node { survey objectId lightCurve { detections { candid } nonDetections { jd } forced { jd } } } } }
      archivalLightCurves(goodOnly: true) { edges { node { archive sourceId band ${POINTS} } } pageInfo { hasNextPage } }
      catalogs { catalog sources { id separationArcsec fields } } } }`);
  const everything = async () =>
    (
      (await here(`ra: ${ra}, dec: ${dec}, radiusArcsec: 2`)) as {
        everythingHere: Record<string, { edges: { node: Record<string, unknown> }[] }>;
      }
    ).everythingHere;
  // The registry in memory hears of an active catalog a moment later.
  await expect.poll(async () => (await everything()).catalogs, { timeout: 20_000 }).toHaveLength(1);
  const everythingHere = await everything();
  expect(everythingHere.objects!.edges[0]!.node).toMatchObject({
    survey: "ZTF",
    objectId,
    lightCurve: { detections: expect.arrayContaining([{ candid: expect.any(String) }]) },
  });
  expect(everythingHere.archivalLightCurves!.edges.map(({ node }) => [node.archive, node.sourceId, node.band])).toEqual(
    [
      ["mine", "new", "i"],
      ["mine", "0", "g"],
      ["mine", "0", "r"],
    ],
  );
  expect(everythingHere.catalogs).toMatchObject([{ catalog: "stars", sources: [{ id: "7", fields: { mag: 11.5 } }] }]);
  expect(await here("ra: 41.6671638, dec: -26.2298221, radiusArcsec: 2")).toMatchObject({
    everythingHere: {
      objects: { edges: [] },
      archivalLightCurves: { edges: [{ node: { archive: "ztf_dr" } }] },
      catalogs: [],
    },
  });
  await expect(here("ra: 1, dec: 2, radiusArcsec: 3601")).rejects.toThrow(/BAD_ARGUMENT.*at most 3,600/);
  expect(await service.ask('mutation { removeLightCurves(name: "mine") }')).toEqual({ removeLightCurves: true });
  expect(await service.ask('mutation { removeLightCurves(name: "mine") }')).toEqual({ removeLightCurves: false });
  const { everythingHere: after } = (await here(`ra: ${ra}, dec: ${dec}, radiusArcsec: 2`)) as {
    everythingHere: Record<string, unknown>;
  };
  expect(after.archivalLightCurves).toEqual({ edges: [], pageInfo: { hasNextPage: false } });
});
