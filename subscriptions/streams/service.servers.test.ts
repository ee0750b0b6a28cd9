// A whole service with a broker: the hits of real packets are in the filter's topic, through a rename and a restart.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonHas } from "../../test/python.js";
import { servers } from "../../test/servers.js";
import { startTestService, type TestService } from "../../test/service.js";
import { SHARED } from "../../test/shared.js";
import { readTopics } from "./publishing.fixture.js";

const NIGHT = join(SHARED, "data/ztf/20200202");

interface Made {
  readonly filter: { readonly id: string; readonly stream: { readonly topic: string } };
}
interface Found {
  readonly hits: { readonly edges: readonly { readonly node: { readonly alert: Alert } }[] };
}
interface Alert {
  readonly candid: string;
  readonly objectId: string;
}

describe.skipIf(!pythonHas("confluent_kafka"))("a service with streams", () => {
  let dataDir: string;
  let brokers: string;
  let service: TestService;
  const start = () => startTestService({ DATA_DIR: dataDir, KAFKA_BROKERS: brokers });
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "tocsin-streams-"));
    brokers = (await servers.kafka()).settings.KAFKA_BROKERS!;
    service = await start();
  });
  afterAll(async () => {
    await service?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it("publishes to one topic, whatever the filter is called, each hit once", async () => {
    const packets = (await readdir(NIGHT)).sort().map((name) => join(NIGHT, name));
    const half = Math.floor(packets.length / 2);
    const input = { name: "all", survey: "ZTF", where: "magpsf < 99", stream: { format: "JSON" } };
    const { filter } = await service.ask<Made>(
      "mutation ($input: CreateFilterInput!) { filter: createFilter(input: $input) { id stream { topic } } }",
      { input },
    );
    const { id, stream } = filter;
    await service.ingest(...packets.slice(0, half));
    const renamed = await service.ask<Made>(
      `mutation ($id: ID!) { filter: updateFilter(id: $id, input: { name: "renamed" }) { stream { topic } } }`,
      { id },
    );
    expect(renamed.filter.stream).toEqual(stream);
    await service.close();
    service = await start();
    await service.ingest(...packets);

    const { hits } = await service.ask<Found>(
      "query ($ids: [ID!]!) { hits(filterIds: $ids, first: 1000) { edges { node { alert { candid objectId } } } } }",
      { ids: [id] },
    );
    const due: Record<string, string[]> = {};
    for (const { alert } of hits.edges.map(({ node }) => node)) {
      const key = `ZTF:${alert.objectId}`;
      due[key] = [...(due[key] ?? []), alert.candid];
    }
    expect(hits.edges.length).toBe(packets.length);
    await service.publisher!.catchUp();
    expect(readTopics(brokers, [stream.topic])).toEqual([due]);
  });
});
