// Features on a real engine.
import { afterAll, beforeAll, expect, it } from "vitest";
import { featureColumnName } from "../../domain/features/features.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { testSurvey } from "../../test/batches.js";
import { featureContract } from "../features.contract.js";
import { strings } from "./blocks.js";
import { createArchiveStores } from "./stores.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(() => archive?.stop());

const SURVEYS = [testSurvey("ZTF")];
featureContract(
  (surveys) => createArchiveStores(archive.client, surveys),
  () => archive.client.command("OPTIMIZE TABLE features_ztf FINAL"),
);

it("adds the columns of new features to a table that is there", async () => {
  const columns = async () => {
    const found = await archive.client.query("SELECT name FROM system.columns WHERE table = 'features_ztf'");
    return strings(found, "name");
  };
  await createArchiveStores(archive.client, SURVEYS);
  const before = await columns();
  await archive.client.command(`ALTER TABLE features_ztf DROP COLUMN ${featureColumnName("g.eta")}`);
  await createArchiveStores(archive.client, SURVEYS);
  expect((await columns()).toSorted()).toEqual(before.toSorted());
});
