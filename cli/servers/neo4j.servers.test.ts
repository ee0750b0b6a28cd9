// A Neo4j of our own through neo4j-driver: what is committed survives kill -9, and only the password opens it.
import neo4j, { type Driver } from "neo4j-driver";
import { afterAll, beforeAll, expect, it } from "vitest";
import { serverFolder } from "../../test/servers.js";
import type { Running } from "./background.js";
import { startNeo4j } from "./neo4j.js";

let server: Running;
beforeAll(async () => {
  server = await startNeo4j({ folder: serverFolder() });
});
afterAll(() => server?.stop());

async function withDriver<T>(work: (driver: Driver) => Promise<T>, password = server.settings.NEO4J_PASSWORD!) {
  const { NEO4J_URL, NEO4J_USER } = server.settings;
  const driver = neo4j.driver(NEO4J_URL!, neo4j.auth.basic(NEO4J_USER!, password), { useBigInt: true });
  try {
    return await work(driver);
  } finally {
    await driver.close();
  }
}

it("keeps nodes, constraints and 64-bit ids through kill -9", async () => {
  const objectId = 9_223_372_036_854_775_806n;
  await withDriver(async (driver) => {
    await driver.executeQuery("CREATE CONSTRAINT FOR (o:Object) REQUIRE o.objectId IS UNIQUE");
    await driver.executeQuery("CREATE (:Object {objectId: $objectId})", { objectId });
  });
  await server.kill();
  expect(server.pids).toEqual([]);
  await server.restart();
  await withDriver(async (driver) => {
    const { records } = await driver.executeQuery("MATCH (o:Object) RETURN o.objectId AS objectId");
    expect(records.map((record) => record.get("objectId"))).toEqual([objectId]);
    await expect(driver.executeQuery("CREATE (:Object {objectId: $objectId})", { objectId })).rejects.toMatchObject({
      code: "Neo.ClientError.Schema.ConstraintValidationFailed",
    });
  });
});

it.each(["wrong", "neo4j"])("refuses the password %s", async (password) => {
  await expect(withDriver((driver) => driver.executeQuery("RETURN 1"), password)).rejects.toMatchObject({
    code: "Neo.ClientError.Security.Unauthorized",
  });
});
