// Pages of alerts by class and by name, on a real engine: how much is read for them, in tables of now and of before.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Viewer } from "../../domain/viewer.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { testSurvey } from "../../test/batches.js";
import { rowsRead } from "../../test/readrows.js";
import type { AlertConditions } from "../alerts.store.js";
import { bigints, numbers } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { connectArchive } from "./http.js";
import { createArchiveStores } from "./stores.js";

const VIEWER: Viewer = { scope: "public", programids: new Map([["ZTF", [1]]]), mayChange: false };
const SURVEYS = [testSurvey("ZTF")];
const [ALERTS, PAGE, GRANULE] = [60_000, 20, 1024] as const;

let engine: TestArchive;
let client: ArchiveClient;
beforeAll(async () => {
  engine = await startTestArchive();
  const { url, user, password } = engine;
  client = connectArchive({ url, user, password, database: "orders" });
  await createArchiveStores(client, SURVEYS);
});
afterAll(async () => {
  await client?.close();
  await engine?.stop();
});

const CLASS = (n: number) => (n % 3_000 === 0 ? "rare" : n % 20 === 1 ? "hosted" : "hostless");
const NAME = (n: number) => (n % 2_500 === 7 ? "433" : null);

/** Alerts over two years; every seventh a second time, by another batch. */
async function fill(): Promise<void> {
  for (const [batch, every] of [
    [2, 1],
    [1, 7],
  ]) {
    await client.command(
      `INSERT INTO alerts_ztf (candid, objectId, jd, band, magnitude, isPositive, class, solarSystemName, programid, batch)
      SELECT number, concat('o', toString(number % 9000)), 2460000.5 + number / 80, 'g', ${batch}, true,
        multiIf(number % 3000 = 0, 'rare', number % 20 = 1, 'hosted', 'hostless'),
        if(number % 2500 = 7, '433', NULL), if(number % 11 = 0, 2, 1), ${batch}
      FROM numbers(${ALERTS}) WHERE number % ${every} = 0`,
    );
  }
}

/** Candids from the newest, and the rows that were read for each page. */
async function pages(where: AlertConditions): Promise<{ candids: number[]; read: number[] }> {
  const { alerts } = await createArchiveStores(client, SURVEYS);
  const [candids, read]: [number[], number[]] = [[], []];
  for (let more = true; more && read.length < 3; ) {
    read.push(
      await rowsRead(client, async () => {
        const after = candids.length === 0 ? null : { survey: "ZTF", ...keyOf(candids.at(-1)!) };
        const page = await alerts.page(VIEWER, where, PAGE, after);
        // The later batch told 2.
        expect(new Set(page.map(({ magnitude }) => magnitude))).toEqual(new Set(page.length === 0 ? [] : [2]));
        candids.push(...page.map(({ candid }) => Number(candid)));
        more = page.length === PAGE;
      }),
    );
  }
  return { candids, read };
}
const keyOf = (n: number) => ({ jd: 2460000.5 + n / 80, candid: BigInt(n) });

const QUESTIONS: readonly [string, AlertConditions, (n: number) => boolean][] = [
  ["of a rare class", { class: "rare" }, (n) => CLASS(n) === "rare"],
  ["of a class", { class: "hosted" }, (n) => CLASS(n) === "hosted"],
  ["of a name", { solarSystemName: "433" }, (n) => NAME(n) === "433"],
  ["of a name and a class", { solarSystemName: "433", class: "hostless" }, (n) => NAME(n) === "433"],
  [
    "of a class and a time",
    { class: "rare", time: { startJd: 2460100.5, endJd: 2460400.5 } },
    (n) => CLASS(n) === "rare" && n >= 8_000 && n < 32_000,
  ],
  ["of the survey", { survey: "ZTF" }, () => true],
];
const expected = (holds: (n: number) => boolean): number[] =>
  Array.from({ length: ALERTS }, (_, n) => ALERTS - 1 - n)
    .filter((n) => n % 11 !== 0 && holds(n))
    .slice(0, 3 * PAGE);

async function checked(most: number): Promise<void> {
  for (const [name, where, holds] of QUESTIONS) {
    const { candids, read } = await pages(where);
    expect(candids, name).toEqual(expected(holds));
    expect(Math.max(...read), name).toBeLessThanOrEqual(most);
  }
}

it("reads about a page, of parts as they are written and as they are merged", async () => {
  await fill();
  // Not merged yet: the parts are searched, again where repeats made a page short.
  await checked(4 * ALERTS);
  await client.command("OPTIMIZE TABLE alerts_ztf FINAL");
  // Two parts, of a year each, with a granule or two of each.
  await checked(6 * GRANULE);
  // What goes through all alerts in the order of time, in larger blocks, as the service does by itself.
  const { arrivals, rematches, features } = await createArchiveStores(client, SURVEYS);
  for (const ask of [
    () => arrivals.latestJd("ZTF"),
    () => rematches.alertsAfter("ZTF", null, PAGE),
    () => features.outdated("ZTF", 1, null, PAGE),
  ]) {
    expect(await rowsRead(client, ask)).toBeLessThanOrEqual(ALERTS / 2);
  }
}, 120_000);

it("puts tables of before in order at the next start", async () => {
  for (const column of ["class", "solarSystemName"]) {
    await client.command(`ALTER TABLE alerts_ztf DROP PROJECTION ${column}_by_time`);
  }
  const { read } = await pages({ class: "hosted" });
  const underWay = async () => {
    const left = await client.query(
      "SELECT count() AS left FROM system.mutations WHERE database = {database:String} AND NOT is_done",
      { database: client.database },
    );
    return bigints(left, "left")[0];
  };
  await expect.poll(underWay, { timeout: 60_000 }).toBe(0n);
  await checked(6 * GRANULE);
  expect(read.length).toBe(3);
  const parts = await client.query(
    `SELECT length(projections) AS made FROM system.parts
    WHERE database = {database:String} AND table = 'alerts_ztf' AND active`,
    { database: client.database },
  );
  expect([...new Set([...numbers(parts, "made")].map(Number))]).toEqual([2]);
}, 120_000);
