// Kafka's own clients read hit topics: both Python clients, both formats, compared with the API's hits; the programs of
// docs/streams.md and stream.py as they stand there; and the subscription goes on behind a message. TOCSIN_PYTHON.
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import express from "express";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { streamRoutes } from "../../server/streams.js";
import type { HitPublisher } from "../../subscriptions/streams/publisher.js";
import { topicOf, World } from "../../subscriptions/streams/publishing.fixture.js";
import { caller } from "../../test/callers.js";
import { type HitService, startHitService } from "../../test/hitservice.js";
import { CURSOR_KEY } from "../../test/memoryhits.js";
import { pythonHas } from "../../test/python.js";
import { servers } from "../../test/servers.js";
import { until } from "../../test/until.js";

const AVRO = topicOf("f1", "AVRO");
const JSONS = topicOf("f2", "JSON");
const FRAMED = topicOf("f3", "AVRO");
const NODE = `cursor filterId filterVersion passedAt annotations alert { survey candid objectId time jd ra dec band magnitude
  magnitudeError flux fluxError isPositive class solarSystemName programid }`;
const DOCUMENT = readFileSync(resolve(import.meta.dirname, "../../docs/streams.md"), "utf8");
/** The two readers of the document. */
const BLOCKS = [...DOCUMENT.matchAll(/```python\n(.*?)```/gs)].map(([, block]) => block!);

interface Node {
  readonly cursor: string;
  readonly passedAt: string;
  readonly alert: { readonly candid: string; readonly objectId: string; readonly magnitude: number };
}
interface Read {
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly hit: Node;
}

describe.skipIf(!pythonHas("confluent_kafka", "kafka", "fastavro"))("readers of hit topics", () => {
  let brokers: string;
  let world: World;
  let service: HitService;
  let publisher: HitPublisher;
  let site: Server;
  let registry: Server;
  let siteUrl: string;
  const programs: ChildProcess[] = [];

  const listen = async (server: Server): Promise<string> => {
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  beforeAll(async () => {
    brokers = (await servers.kafka()).settings.KAFKA_BROKERS!;
    world = new World(brokers, CURSOR_KEY);
    service = await startHitService(world.memory);
    site = createServer(express().use(streamRoutes()));
    siteUrl = await listen(site);
    registry = createServer((request, response) => {
      response.writeHead(request.url === `/subjects/${FRAMED}-value/versions` ? 200 : 403).end('{"id":7}');
    });
    publisher = world.publisher({ registryUrl: await listen(registry) });
    world.switchOn("f1", "AVRO");
    world.switchOn("f2", "JSON");
    world.switchOn("f3", "AVRO");
    world.store(300, ["f1", "f2", "f3"]);
    await publisher.catchUp();
  });
  afterEach(() => {
    for (const program of programs.splice(0)) program.kill("SIGKILL");
  });
  afterAll(async () => {
    await publisher?.close();
    await service?.close();
    site?.close();
    registry?.close();
  });

  /** What anybody is answered by the API. */
  async function hitsOf(filterId: string): Promise<Node[]> {
    const query = `query ($ids: [ID!]!) { hits(filterIds: $ids, first: 1000) { edges { node { ${NODE} } } } }`;
    const { body } = await caller(service.url.replace("ws", "http")).post(query, { ids: [filterId] });
    const { data } = JSON.parse(body.toString()) as { data: { hits: { edges: { node: Node }[] } } };
    return data.hits.edges.map(({ node }) => node);
  }

  /** By key, since partitions have no order among them. */
  const byKey = (found: readonly Read[]) =>
    Object.fromEntries(
      [...new Set(found.map(({ key }) => key))].map((key) => [
        key,
        found.filter((each) => each.key === key).map(({ hit }) => hit),
      ]),
    );
  const dueByKey = (nodes: readonly Node[]) =>
    byKey(nodes.map((hit) => ({ key: `ZTF:${hit.alert.objectId}`, headers: {}, hit })));

  it.each([
    ["confluent-kafka", "f1", AVRO],
    ["confluent-kafka", "f2", JSONS],
    ["confluent-kafka", "f3", FRAMED],
    ["kafka-python", "f1", AVRO],
    ["kafka-python", "f2", JSONS],
    ["kafka-python", "f3", FRAMED],
  ])("%s gets of %s in %s what the API answers", async (client, filterId, topic) => {
    const due = await hitsOf(filterId);
    expect(due).toHaveLength(90);
    const input = { brokers, topic, url: siteUrl, count: due.length, group: randomUUID(), client };
    const lines = run(["-c", `import json\ninput = json.loads(${JSON.stringify(JSON.stringify(input))})\n${READ}`]);
    await until("its answer", () => lines.length > 0, 60_000);
    const found = JSON.parse(lines[0]!) as Read[];
    expect(byKey(found)).toEqual(dueByKey(due));
    for (const { headers, hit } of found) {
      const { candid } = hit.alert;
      expect(headers).toEqual({ cursor: hit.cursor, filterId, filterVersion: "1", survey: "ZTF", candid });
    }
  });

  it("the readers of the document print each hit", async () => {
    expect(BLOCKS).toHaveLength(2);
    for (const [block, filterId, topics] of [
      [BLOCKS[0]!, "f1", [AVRO, FRAMED]],
      [BLOCKS[1]!, "f2", [JSONS]],
    ] as const) {
      for (const topic of topics) {
        const script = block
          .replace("http://127.0.0.1:4000", siteUrl)
          .replace("127.0.0.1:9092", brokers)
          .replace("my-group", randomUUID())
          .replace(/tocsin\.hits\.FILTER_ID\.\w+/, topic);
        const due = (await hitsOf(topic === FRAMED ? "f3" : filterId)).map(
          ({ cursor, alert }) => `${cursor} ${alert.objectId} ${alert.candid} ${alert.magnitude}`,
        );
        const lines = run(["-c", script]);
        await until("all hits", () => lines.length >= due.length, 60_000);
        expect([...lines].sort()).toEqual([...due].sort());
      }
    }
  });

  it("stream.py goes on where its group has left off, and the subscription behind its last hit", async () => {
    const group = randomUUID();
    const program = [join(import.meta.dirname, "stream.py"), JSONS, group];
    const first = run(program);
    await until("the first hits", () => first.length === 90, 60_000);
    const reader = programs.at(-1)!;
    reader.kill("SIGINT");
    await until("its end", () => reader.exitCode !== null, 30_000);
    expect(reader.exitCode).toBe(0);

    const nodes = await hitsOf("f2");
    const { results, stop } = caller(service.url.replace("ws", "http")).subscribe(
      "subscription ($ids: [ID!]!, $after: String) { filterHits(filterIds: $ids, after: $after) { cursor } }",
      // The cursor of a message in the middle, and of the last one.
      { ids: ["f2"], after: nodes[60]!.cursor },
    );
    const stored = world.store(30, ["f2"]);
    service.hub.publish(stored);
    await publisher.catchUp();
    const later = run(program);
    const all = (await hitsOf("f2")).map(({ cursor }) => cursor);
    const read = () => new Set([...first, ...later].map((line) => (JSON.parse(line) as Read).hit.cursor));
    await until("all hits", () => read().size >= all.length && results.length >= 29 + 27, 60_000);
    await stop();
    expect(read()).toEqual(new Set(all));
    // The hit whose offset it did not come to commit may be there once more.
    expect(later.length).toBeLessThanOrEqual(28);
    const live = results.map((text) => (JSON.parse(text) as { data: { filterHits: Node } }).data.filterHits.cursor);
    expect(live).toEqual(all.slice(61));
  });

  function run(args: readonly string[]): string[] {
    const environment = { ...process.env, TOCSIN_URL: siteUrl, KAFKA_BROKERS: brokers };
    const program = spawn(process.env.TOCSIN_PYTHON ?? "python3", args, {
      env: environment,
      stdio: ["ignore", "pipe", "inherit"],
    });
    programs.push(program);
    const lines: string[] = [];
    createInterface({ input: program.stdout! }).on("line", (line) => lines.push(line));
    return lines;
  }
});

const READ = `
import datetime, io, urllib.request, fastavro
schema = fastavro.parse_schema(json.load(urllib.request.urlopen(input["url"] + "/streams/hits.avsc")))
def iso(moment): return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
def hit(value):
    if input["topic"].endswith(".json"): return json.loads(value)
    assert value[0] == 0 and value[1:5] == bytes([0, 0, 0, 7]) or value[:2] == bytes([0xC3, 1])
    found = fastavro.schemaless_reader(io.BytesIO(value[5 if value[0] == 0 else 10:]), schema)
    found["passedAt"] = iso(found["passedAt"])
    alert = found["alert"]
    alert["candid"] = str(alert["candid"])
    # Milliseconds as the API rounds them: a JD holds a time to 40 microseconds.
    milliseconds = round((alert["jd"] - 2440587.5) * 86400e3)
    alert["time"] = iso(datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds))
    return found
found = []
def add(key, value, headers):
    found.append({"key": key.decode(), "headers": {name: text.decode() for name, text in headers}, "hit": hit(value)})
if input["client"] == "kafka-python":
    from kafka import KafkaConsumer
    consumer = KafkaConsumer(input["topic"], bootstrap_servers=input["brokers"], group_id=input["group"],
        auto_offset_reset="earliest", isolation_level="read_committed", consumer_timeout_ms=30000)
    for message in consumer:
        add(message.key, message.value, message.headers)
        if len(found) == input["count"]: break
else:
    from confluent_kafka import Consumer
    consumer = Consumer({"bootstrap.servers": input["brokers"], "group.id": input["group"], "auto.offset.reset": "earliest"})
    consumer.subscribe([input["topic"]])
    while len(found) < input["count"]:
        message = consumer.poll(30)
        if message is None: break
        if not message.error(): add(message.key(), message.value(), message.headers())
consumer.close()
print(json.dumps(found))
`;
