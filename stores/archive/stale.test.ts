// Objects whose latest scores or matches are old, on a real archive: by object, as each viewer's alerts have it.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Viewer } from "../../domain/viewer.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { testSurvey } from "../../test/batches.js";
import { blockOf, floats, integers, signed, texts, unsigned } from "./blocks.js";
import { type ArchiveStores, createArchiveStores } from "./stores.js";

const OWNER: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const ANYBODY: Viewer = { scope: "anonymous", programids: new Map([["ZTF", [1]]]), mayChange: false };

let engine: TestArchive;
let stores: ArchiveStores;
beforeAll(async () => {
  engine = await startTestArchive();
  stores = await createArchiveStores(engine.client, [testSurvey("ZTF")]);
});
afterAll(() => engine?.stop());

interface Made {
  readonly objectId: string;
  readonly jd: number;
  readonly programid: number;
  /** Version of the model, revision of the catalog. */
  readonly by: string;
  readonly shadow?: boolean;
}
const made = (objectId: string, jd: number, by: string, programid = 1, shadow = false): Made => ({
  ...{ objectId, jd, by, programid, shadow },
});

function common(rows: readonly Made[]) {
  return {
    survey: texts(rows.map(() => "ZTF")),
    objectId: texts(rows.map(({ objectId }) => objectId)),
    jd: floats(Float64Array.from(rows, ({ jd }) => jd)),
    candid: signed(BigInt64Array.from(rows, ({ jd, objectId }) => BigInt(jd * 1_000 + objectId.charCodeAt(0)))),
  };
}
const batches = (rows: readonly Made[]) => unsigned(BigUint64Array.from(rows, (_, n) => BigInt(n + 1)));

it("tells of scores by another version of the model than the one asked for", async () => {
  const rows = [
    // Scored by the old one last; by the new one last; by both; by the old one, and by the new one as a shadow.
    ...[made("a", 1, "1"), made("b", 1, "1"), made("b", 2, "2"), made("c", 3, "1"), made("c", 3, "2")],
    ...[made("d", 4, "1"), made("d", 4, "2", 1, true)],
    // The new one has scored what only some may see; and once the old one came back.
    ...[made("e", 5, "1"), made("e", 6, "2", 2), made("f", 7, "2"), made("f", 8, "1")],
  ];
  const columns = {
    ...{ ...common(rows), model: texts(rows.map(() => "kinds")), version: texts(rows.map(({ by }) => by)) },
    programid: integers(Int32Array.from(rows, ({ programid }) => programid)),
    shadow: { type: "Bool" as const, values: Uint8Array.from(rows, (one) => Number(one.shadow)), nulls: null },
    batch: batches(rows),
  };
  await engine.client.insert("scores", blockOf(rows.length, columns));
  const stale = (viewer: Viewer, version: string, first = 10, after: string | null = null) =>
    stores.stale.scores(viewer, "ZTF", { name: "kinds", version }, first, after);
  const of = (...ids: string[]) => ids.map((objectId) => ({ objectId, madeBy: "1" }));
  expect(await stale(OWNER, "2")).toEqual(of("a", "d", "f"));
  expect(await stale(ANYBODY, "2")).toEqual(of("a", "d", "e", "f"));
  expect(await stale(OWNER, "2", 1, "a")).toEqual(of("d"));
  expect((await stale(OWNER, "3")).map(({ objectId }) => objectId)).toEqual(["a", "b", "c", "d", "e", "f"]);
  expect(await stores.stale.scores(OWNER, "ZTF", { name: "others", version: "2" }, 10, null)).toEqual([]);
});

it("tells of matches by another revision of the catalog than the one asked for", async () => {
  const rows = [
    ...[made("a", 1, "1"), made("b", 1, "1"), made("b", 2, "2"), made("c", 3, "2")],
    ...[made("e", 5, "1"), made("e", 6, "2", 2), made("h", 9, "1", 2)],
  ];
  const { survey, objectId, jd, candid } = common(rows);
  const programid = integers(Int32Array.from(rows, (row) => row.programid));
  await engine.client.insert("object_alerts", blockOf(rows.length, { survey, objectId, jd, candid, programid }));
  const revision = unsigned(BigUint64Array.from(rows, ({ by }) => BigInt(by)));
  const columns = { survey, objectId, jd, candid, revision, catalog: texts(rows.map(() => "stars")) };
  await engine.client.insert("matches", blockOf(rows.length, { ...columns, batch: batches(rows) }));
  const stale = (viewer: Viewer, first = 10, after: string | null = null) =>
    stores.stale.matches(viewer, "ZTF", { name: "stars", revision: 2 }, first, after);
  const of = (...ids: string[]) => ids.map((id) => ({ objectId: id, madeBy: "1" }));
  expect(await stale(OWNER)).toEqual(of("a", "h"));
  expect(await stale(ANYBODY)).toEqual(of("a", "e"));
  expect(await stale(OWNER, 1, "a")).toEqual(of("h"));
});
