// A catalog's file sent to a whole running service: only with the owner's token; then queries find it, and alerts that come
// later are matched with it. The places are those that fastavro read in real packets.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

const { alerts: PACKETS } = JSON.parse(readFileSync(join(SHARED, "data/expected/ztf.json"), "utf8")) as {
  alerts: { candid: string; ra: number; dec: number }[];
};
const TOKEN = "correct-horse-battery";
/** Named as forwarded nobody is the owner by the address. */
const ANYBODY = { "x-forwarded-for": "203.0.113.7" };
const OWNER = { ...ANYBODY, authorization: `Bearer ${TOKEN}` };
/** A source 1 arcsec north of each alert. */
const FILE = Buffer.from(
  ["name,ra,dec,mag", ...PACKETS.map(({ ra, dec }, n) => `s${n},${ra},${dec + 1 / 3600},${10.5 + n}`)].join("\n"),
);

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ TOCSIN_TOKEN: TOKEN, SKY_INDEX_MB: "0", LOG_LEVEL: "silent" });
}, 60_000);
afterAll(() => service?.close());

async function put(headers: Record<string, string>, body: Uint8Array<ArrayBuffer>, more = "") {
  const path = `/catalogs/sent?radius=2&id=name&columns=mag${more}`;
  const response = await fetch(`${service.url}${path}`, { method: "PUT", body, headers });
  return { status: response.status, told: (await response.json()) as Record<string, unknown> };
}
const catalogs = async () =>
  (await service.ask<{ catalogs: object[] }>("{ catalogs { name state sources } }", {}, ANYBODY)).catalogs;

it("is refused without the token, or with another", async () => {
  for (const headers of [ANYBODY, { ...ANYBODY, authorization: `Bearer ${TOKEN}s` }]) {
    expect(await put(headers, FILE)).toMatchObject({
      status: 401,
      told: { errors: [{ extensions: { code: "NOT_ALLOWED" } }] },
    });
  }
  expect(await catalogs()).toEqual([]);
});

it("is there for everybody's queries when its last piece has been answered", async () => {
  const first = await put(OWNER, FILE.subarray(0, 100), "&more=true");
  expect(first).toEqual({ status: 200, told: { name: "sent", bytes: 100 } });
  expect(await catalogs()).toEqual([]);
  expect(await put(OWNER, FILE.subarray(100), "&offset=100")).toMatchObject({
    status: 200,
    told: { name: "sent", finished: true, error: null, sources: PACKETS.length },
  });
  expect(await catalogs()).toEqual([{ name: "sent", state: "ACTIVE", sources: String(PACKETS.length) }]);
  const { ra, dec } = PACKETS[0]!;
  const { catalogSources } = await service.ask<{ catalogSources: object[] }>(
    `query ($at: PositionInput!) { catalogSources(catalogs: ["sent"], positions: [$at]) {
      catalogs { catalog sources { id separationArcsec fields } } } }`,
    { at: { ra, dec } },
    ANYBODY,
  );
  expect(catalogSources).toEqual([
    {
      catalogs: [
        { catalog: "sent", sources: [{ id: "s0", separationArcsec: expect.closeTo(1, 4), fields: { mag: 10.5 } }] },
      ],
    },
  ]);
});

it("is matched with alerts that come later", async () => {
  await service.ingest(join(SHARED, "data/ztf"));
  for (const [n, { candid }] of PACKETS.entries()) {
    const { alert } = await service.ask<{ alert: { crossMatches: { catalog: string; sourceId: string }[] } }>(
      `query ($candid: Long!) { alert(survey: ZTF, candid: $candid) { crossMatches { catalog sourceId } } }`,
      { candid },
    );
    expect(alert.crossMatches).toContainEqual({ catalog: "sent", sourceId: `s${n}` });
  }
});
