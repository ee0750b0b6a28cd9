// Each hit exactly once in its topic, in order for each object, whatever happens to publishers and to the broker: read by
// other clients than the one that wrote, confluent-kafka and kafka-python. Skipped without them: TOCSIN_PYTHON.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { startKafka } from "../../cli/servers/kafka.js";
import { pythonHas } from "../../test/python.js";
import { serverFolder, servers } from "../../test/servers.js";
import type { HitPublisher } from "./publisher.js";
import { readTopics, topicOf, World } from "./publishing.fixture.js";
import { POSITION_TOPIC, publisherId } from "./topic.js";

const HITS = 50_000;
/** Of the tests that start and kill much. */
const PATIENCE_MS = 400_000;
/** Publishes the hits that its argument names, and prints its position after each transaction. `npm run build` comes first. */
const PROCESS = `
const { World } = await import(${JSON.stringify(new URL("../../dist/subscriptions/streams/publishing.fixture.js", import.meta.url))});
const { brokers, key, filters, hits } = JSON.parse(process.argv[1]);
const world = new World(brokers, Buffer.from(key, "hex"));
filters.forEach((id, i) => world.streams.set(id, { format: ["AVRO", "JSON"][i], after: 0n }));
world.store(hits, filters);
world.checkpoints.set = (_feed, position) => console.log(position);
const publisher = world.publisher();
while (!(await publisher.catchUp().then(() => true, () => false)));
await publisher.close();
`;

const publishers: HitPublisher[] = [];
afterEach(async () => {
  await Promise.all(publishers.splice(0).map((each) => each.close()));
});
function opened(world: World, more: Parameters<World["publisher"]>[0] = {}): HitPublisher {
  const publisher = world.publisher(more);
  publishers.push(publisher);
  return publisher;
}

/** As the process that numbers hits does: again until it succeeds. */
async function published(publisher: HitPublisher, withinMs = 60_000): Promise<void> {
  for (const deadline = Date.now() + withinMs; ; await pause(50)) {
    try {
      return await publisher.catchUp();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

describe.skipIf(!pythonHas("confluent_kafka", "kafka"))("publisher of hits", () => {
  let brokers: string;
  beforeAll(async () => {
    brokers = (await servers.kafka()).settings.KAFKA_BROKERS!;
  });

  it("publishes what anybody may see of filters with a stream, and asks for no broker before there is one", async () => {
    const world = new World(brokers);
    world.store(50, ["a", "b"]);
    const idle = world.publisher({ brokers: "127.0.0.1:1" });
    await idle.catchUp();
    expect(idle.behind()).toBe(0n);
    await idle.close();

    const [avro, json] = [world.filter("AVRO"), world.filter("JSON")];
    world.store(5_000, [avro, json, "unpublished"]);
    const publisher = opened(world);
    await publisher.catchUp();
    expect(publisher.behind()).toBe(0n);
    const topics = [topicOf(avro, "AVRO"), topicOf(json, "JSON")];
    expect(readTopics(brokers, topics)).toEqual([world.due(avro), world.due(json)]);
    world.store(10, [avro, json]);
    await Promise.all([publisher.catchUp(), publisher.catchUp(), publisher.catchUp()]);
    expect(readTopics(brokers, topics)).toEqual([world.due(avro), world.due(json)]);
  });

  it("begins a stream with the hits after it was switched on, each time", async () => {
    const world = new World(brokers);
    const [first, second] = [
      world.filter("JSON"),
      "a0000000-0000-4000-8000-000000000000".replace("a", String(Date.now())),
    ];
    const publisher = opened(world);
    world.store(20, [first, second]);
    await publisher.catchUp();
    world.switchOn(second, "JSON");
    const began = world.streams.get(second)!.after;
    world.store(40, [first, second]);
    // Switched off before the publisher came to them.
    world.streams.delete(first);
    await publisher.catchUp();
    world.switchOn(first, "JSON");
    const again = world.streams.get(first)!.after;
    world.store(20, [first, second]);
    await publisher.catchUp();
    const [ofFirst, ofSecond] = readTopics(brokers, [topicOf(first, "JSON"), topicOf(second, "JSON")]);
    expect(ofSecond).toEqual(world.due(second, began));
    const all = (found: Record<string, string[]>) => Object.values(found).flat().sort();
    const due = all(world.due(first));
    const off = world.memory.stored.filter(({ seq }) => seq > began && seq <= again).map(({ candid }) => `${candid}`);
    expect(all(ofFirst!)).toEqual(due.filter((candid) => !off.includes(candid)));
  });

  it(
    "each once, while publishers take over from each other in the middle of their transactions",
    async () => {
      const world = new World(brokers);
      const filters = [world.filter("AVRO"), world.filter("JSON")];
      const working: Promise<unknown>[] = [];
      let fenced = 0;
      const start = (publisher: HitPublisher) => {
        const work = publisher.catchUp().catch((error: { code: string; details: { fenced: boolean } }) => {
          expect(error.code).toBe("ENGINE_UNAVAILABLE");
          if (error.details.fenced) fenced += 1;
        });
        working.push(work);
      };
      for (let round = 0; round < 20; round += 1) {
        world.store(500 + Math.floor(Math.random() * 3_000), filters);
        start(opened(world, { alone: true }));
        // An old one that does not know of its end.
        if (Math.random() < 0.5) start(publishers[Math.floor(Math.random() * publishers.length)]!);
        await pause(Math.random() * 300);
      }
      await Promise.all(working);
      await published(opened(world, { alone: true }));
      expect(fenced).toBeGreaterThan(0);
      const topics = [topicOf(filters[0]!, "AVRO"), topicOf(filters[1]!, "JSON")];
      expect(readTopics(brokers, topics)).toEqual(filters.map((id) => world.due(id)));
      expect(readTopics(brokers, topics, "kafka-python")).toEqual(filters.map((id) => world.due(id)));
    },
    PATIENCE_MS,
  );

  it(
    "each once, while its process is killed twenty times",
    async () => {
      const world = new World(brokers);
      const filters = [world.filter("AVRO"), world.filter("JSON")];
      world.store(HITS, filters);
      const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      const positions = new Set<string>();
      for (let round = 0; round <= 20; round += 1) {
        const argument = JSON.stringify({ brokers, key: Buffer.from(world.key).toString("hex"), filters, hits: HITS });
        const child = spawn(process.execPath, ["--input-type=module", "-e", PROCESS, argument], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        const closed = once(child, "close");
        if (round < 20) {
          // Somewhere in the pages after its first one.
          await Promise.race([once(createInterface({ input: child.stdout! }), "line"), closed]);
          await pause(Math.random() * 80);
          child.kill("SIGKILL");
        } else {
          child.stdout!.resume();
        }
        await closed;
        const [stored] = await admin.fetchOffsets({ groupId: publisherId(world.key), topics: [POSITION_TOPIC] });
        positions.add(stored!.partitions[0]!.offset);
      }
      await admin.disconnect();
      // It was killed at several places, and the last one came to the end.
      expect(positions.size).toBeGreaterThan(10);
      expect([...positions].at(-1)).toBe(String(HITS));
      const topics = [topicOf(filters[0]!, "AVRO"), topicOf(filters[1]!, "JSON")];
      expect(readTopics(brokers, topics)).toEqual(filters.map((id) => world.due(id)));
    },
    PATIENCE_MS,
  );

  it("refuses the transaction of a publisher that another one has replaced", async () => {
    const world = new World(brokers);
    const filter = world.filter("JSON");
    const [old, young] = [opened(world), opened(world)];
    world.store(10, [filter]);
    await old.catchUp();
    world.store(10, [filter]);
    await young.catchUp();
    world.store(10, [filter]);
    await expect(old.catchUp()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE", details: { fenced: true } });
    expect(old.behind()).toBe(20n);
    await young.catchUp();
    expect(readTopics(brokers, [topicOf(filter, "JSON")])).toEqual([world.due(filter)]);
  });

  it("waits for a hit that a replica does not show yet, and passes one that was never given", async () => {
    const world = new World(brokers);
    const filter = world.filter("JSON");
    const publisher = opened(world, { gapMs: 3_000 });
    world.store(30, [filter]);
    const { stored } = world.memory;
    const hidden = stored.splice(10, 5);
    await expect(publisher.catchUp()).rejects.toMatchObject({ message: expect.stringContaining("11 to 15") as string });
    expect(publisher.behind()).toBe(20n);
    stored.splice(10, 0, ...hidden);
    await publisher.catchUp();
    expect(readTopics(brokers, [topicOf(filter, "JSON")])).toEqual([world.due(filter)]);
    world.store(20, [filter]);
    stored.splice(35, 5);
    await published(publisher);
    expect(world.lines).toEqual(["the archive has no hits of these numbers, and none were published"]);
    expect(readTopics(brokers, [topicOf(filter, "JSON")])).toEqual([world.due(filter)]);
  });

  it("goes on from what the graph knows where the broker has forgotten its position", async () => {
    const world = new World(brokers);
    const filter = world.filter("JSON");
    world.store(100, [filter]);
    await opened(world).catchUp();
    const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.deleteGroups([publisherId(world.key)]);
    await admin.disconnect();
    world.store(10, [filter]);
    await opened(world).catchUp();
    expect(readTopics(brokers, [topicOf(filter, "JSON")])).toEqual([world.due(filter)]);
  });

  it(
    "waits for a broker that is killed or hangs, and loses and doubles nothing",
    async () => {
      const broker = await startKafka({ folder: serverFolder() });
      const world = new World(broker.settings.KAFKA_BROKERS!);
      const filter = world.filter("AVRO");
      world.store(1_500, [filter]);
      const publisher = opened(world);
      await published(publisher);
      for (const how of ["killed", "frozen", "killed", "killed"]) {
        world.store(8_000, [filter]);
        const work = publisher.catchUp().catch((error: unknown) => error);
        await pause(Math.random() * 200);
        if (how === "killed") await broker.kill();
        else broker.freeze();
        const began = Date.now();
        await work;
        world.store(10, [filter]);
        await expect(publisher.catchUp()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
        expect(Date.now() - began).toBeLessThan(25_000);
        expect(publisher.behind()).toBeGreaterThanOrEqual(10n);
        await expect(publisher.catchUp()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
        if (how === "killed") await broker.restart();
        else broker.thaw();
        await published(publisher);
        expect(publisher.behind()).toBe(0n);
      }
      expect(world.lines).toEqual([]);
      expect(readTopics(world.brokers, [topicOf(filter, "AVRO")])).toEqual([world.due(filter)]);
      await broker.kill();
    },
    PATIENCE_MS,
  );
});
