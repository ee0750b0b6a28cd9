// Candidates of moving objects through the schema on a real archive: a mover among what stays, what has a name, and what the
// caller may not see; what is asked for beyond the bounds.
import { graphql } from "graphql";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Viewer } from "../domain/viewer.js";
import { createFilterDesign } from "../filters/design/design.js";
import { fieldsOfSurveys } from "../filters/fields.js";
import { createFilterLanguage } from "../filters/language.js";
import { buildTocsinSchema } from "../resolvers/build.js";
import { createContext } from "../resolvers/context.js";
import type { Services } from "../resolvers/services.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "./archive.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "./batches.js";

const NIGHT = 2460000.5;
const DRB = { name: "drb", type: "Float32" as const, nullable: true, unit: null, description: "A score." };
const ZTF = testSurvey("ZTF", [DRB]);
const PUBLIC: Viewer = { scope: "public", programids: new Map([["ZTF", [1]]]), mayChange: false };
const ALL: Viewer = { scope: "all", programids: new Map([["ZTF", "all"]]), mayChange: true };

/** Half a degree a day to the east on the equator, every half hour. */
const passing = (name: string, ra: number, of: Partial<TestAlert> = {}): TestAlert[] =>
  [0, 1, 2, 3].map((n) => ({
    ...{ candid: BigInt(Math.round(ra * 1000)) * 10n + BigInt(n), objectId: `${name}${n}` },
    ...{ jd: NIGHT + 0.2 + n / 48, ra: ra + n / 96, dec: 0, own: { magnitude: 19, drb: 0.9 } },
    ...of,
  }));
const ALERTS: readonly TestAlert[] = [
  ...passing("mover", 10),
  ...passing("hidden", 20, { programid: 2 }),
  ...passing("named", 30, { solarSystemName: "433" }),
  ...passing("bogus", 40, { own: { magnitude: 19, drb: 0.1 } }),
  // Detections of stars that vary, in a row by chance: each was met the night before as well.
  ...passing("star", 50),
  ...passing("star", 50).map((alert) => ({ ...alert, candid: alert.candid + 5n, jd: alert.jd - 1 })),
];

let archive: TestArchive;
let services: Services;
const schema = buildTocsinSchema([ZTF]);

beforeAll(async () => {
  archive = await startTestArchive();
  const stores = await createArchiveStores(archive.client, [ZTF]);
  const id = stores.batches.begin();
  await stores.alerts.write(id, testBatch(ZTF, ALERTS), testHashes(ALERTS), testLocations(ALERTS));
  const counts = { read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
  await stores.batches.commit(id, { survey: "ZTF", ...counts });
  const fieldsOf = fieldsOfSurveys([ZTF]);
  const parts = { language: createFilterLanguage(fieldsOf), design: createFilterDesign(fieldsOf) };
  services = { stores, surveys: new Map([["ZTF", ZTF]]), ...parts } as unknown as Services;
});
afterAll(() => archive?.stop());

async function candidates(args: string, viewer: Viewer = ALL) {
  const source = `{ trackletCandidates(survey: ZTF, ${args}) { detections count
    tracklets { rate positionAngle hours rmsArcsec alerts { objectId } } } }`;
  const { data, errors } = await graphql({ schema, source, contextValue: createContext(services, viewer) });
  if (errors) throw errors[0]!.originalError ?? errors[0]!;
  return data!.trackletCandidates as {
    detections: number;
    count: number;
    tracklets: { rate: number; positionAngle: number; hours: number; alerts: { objectId: string }[] }[];
  };
}
const DAY = `window: { start: "JD ${NIGHT}", minutes: 1440 }`;

it("links a mover, and nothing that stays, has a name, or may not be seen", async () => {
  const seen = await candidates(`${DAY}, where: "drb > 0.5"`, PUBLIC);
  expect([seen.detections, seen.count]).toEqual([4, 1]);
  expect(seen.tracklets[0]!.alerts.map(({ objectId }) => objectId)).toEqual(["mover0", "mover1", "mover2", "mover3"]);
  expect(seen.tracklets[0]!.rate).toBeCloseTo(0.5, 6);
  expect(seen.tracklets[0]!.positionAngle).toBeCloseTo(90, 6);
  expect(seen.tracklets[0]!.hours).toBeCloseTo(1.5, 4);
  expect((await candidates(`${DAY}, where: "drb > 0.5"`)).count).toBe(2);
  expect((await candidates(DAY)).count).toBe(3);
  expect(await candidates(`${DAY}, first: 1`)).toMatchObject({ count: 3, tracklets: [{}] });
  expect((await candidates(`${DAY}, minDetections: 5`)).count).toBe(0);
  expect((await candidates(`${DAY}, minRate: 0.6`)).count).toBe(0);
});

it("says what is out of bounds", async () => {
  const refused = (args: string) => expect(candidates(args)).rejects;
  await refused(`window: { start: "JD ${NIGHT}", minutes: 1500 }`).toMatchObject({ code: "BAD_ARGUMENT" });
  await refused(`${DAY}, minRate: 0.01`).toMatchObject({ code: "BAD_ARGUMENT" });
  await refused(`${DAY}, maxRate: 11`).toMatchObject({ code: "BAD_ARGUMENT" });
  await refused(`${DAY}, minDetections: 1`).toMatchObject({ code: "BAD_ARGUMENT" });
  await refused(`${DAY}, where: "drbb > 1"`).toMatchObject({ code: "BAD_EXPRESSION" });
});
