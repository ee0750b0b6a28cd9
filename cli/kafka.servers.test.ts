// `cli kafka topics|lag|rewind` on a real broker: what is printed, what is moved, and that a running worker forbids it.
import { Command } from "commander";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import type { KafkaConnection } from "../ingest/sources/kafka/client.js";
import {
  createTopic,
  fresh,
  produce,
  startWorker,
  untilCommitted,
  untilRead,
  ztfMessages,
} from "../ingest/sources/kafka/kafka.fixture.js";
import { servers } from "../test/servers.js";
import { addKafkaCommands } from "./kafka.commands.js";
import { kafkaShape } from "./kafka.settings.js";

let connection: KafkaConnection;
beforeAll(async () => {
  connection = { brokers: [(await servers.kafka()).settings.KAFKA_BROKERS!] };
});
afterEach(() => vi.restoreAllMocks());

/** The lines that the command prints, their words apart by one space. */
async function run(environment: Record<string, string>, ...words: string[]): Promise<string[]> {
  const printed: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  const program = new Command().exitOverride();
  const settings = z.object(kafkaShape).parse({ KAFKA_BROKERS: connection.brokers.join(), ...environment });
  addKafkaCommands(program, () => settings);
  try {
    await program.parseAsync(["kafka", ...words], { from: "user" });
  } finally {
    vi.restoreAllMocks();
  }
  return printed
    .join("")
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/ +/g, " "));
}

test("a night from its first message to a rewind", async () => {
  const night = fresh("ztf_20231012");
  const next = fresh("ztf_20231013");
  const hour = 3_600_000;
  await createTopic(connection, night, 2);
  await createTopic(connection, next);
  const [packet] = ztfMessages();
  await produce(
    connection,
    night,
    [9, 8, 2, 1].map((ago) => ({ value: packet!, partition: 0, timestamp: `${Date.now() - ago * hour}` })),
  );
  const settings = { KAFKA_TOPICS: `${night},/${next}/`, KAFKA_GROUP: fresh("group") };
  expect(await run(settings, "topics")).toEqual(["topic partitions messages", `${night} 2 4`, `${next} 1 0`]);
  const head = "topic partition bookmark end lag";
  const empty = [`${night} 1 none 0 0`, `${next} 0 none 0 0`];
  expect(await run(settings, "lag")).toEqual([head, `${night} 0 none 4 4`, ...empty, "4 messages wait."]);

  const worker = startWorker(
    { connection, group: settings.KAFKA_GROUP, read: night },
    ({ origin }) => origin.offset! < 3n,
  );
  await untilRead(worker, 4);
  await untilCommitted(worker, 3);
  expect(await run(settings, "lag")).toEqual([head, `${night} 0 3 4 1`, ...empty, "1 message waits."]);
  await expect(run(settings, "rewind", "--to", "earliest")).rejects.toMatchObject({
    code: "GROUP_IN_USE",
    message: `One worker reads as group ${settings.KAFKA_GROUP}.`,
  });
  await worker.close();

  const moved = ["topic partition from to"];
  expect(await run(settings, "rewind", "--to", "6h", "--topic", night)).toEqual([
    ...moved,
    `${night} 0 3 2`,
    `${night} 1 none 0`,
  ]);
  expect((await run(settings, "lag")).at(-1)).toBe("2 messages wait.");
  const again = startWorker({ connection, group: settings.KAFKA_GROUP, read: night });
  await untilRead(again, 2);
  await untilCommitted(again, 4);
  await again.close();
  expect(again.places()).toEqual([2, 3].map((offset) => `${night}/0/${offset}`));

  expect(await run(settings, "rewind", "--to", "earliest")).toEqual([
    ...moved,
    `${night} 0 4 0`,
    `${night} 1 0 0`,
    `${next} 0 none 0`,
  ]);
  expect((await run(settings, "rewind", "--to", "latest"))[1]).toBe(`${night} 0 0 4`);
});

test("what cannot be done says why", async () => {
  const topic = fresh("only");
  await createTopic(connection, topic);
  const settings = { KAFKA_TOPICS: topic };
  await expect(run(settings, "rewind", "--to", "soon")).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  await expect(run(settings, "rewind", "--to", "6h", "--topic", "no-such")).rejects.toMatchObject({
    code: "BAD_ARGUMENT",
    remedy: expect.stringContaining(topic),
  });
  await expect(run({ KAFKA_TOPICS: "no-such" }, "lag")).rejects.toMatchObject({ code: "BAD_SETTING" });
  await expect(run({ ...settings, KAFKA_BROKERS: "127.0.0.1:9" }, "lag")).rejects.toMatchObject({
    code: "ENGINE_UNAVAILABLE",
    message: expect.stringContaining("ECONNREFUSED"),
  });
});
