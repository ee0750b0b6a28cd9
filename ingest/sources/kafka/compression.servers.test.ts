// What other people's producers compress, through a real broker: librdkafka's, and snappy as Java's clients frame it.
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { python, pythonHas } from "../../../test/python.js";
import { servers } from "../../../test/servers.js";
import { avroFiles } from "../../avro/truth.fixture.js";
import type { KafkaConnection } from "./client.js";
import { createTopic, fresh, startWorker, untilRead, type Worker, ztfMessages } from "./kafka.fixture.js";

let connection: KafkaConnection;
beforeAll(async () => {
  connection = { brokers: [(await servers.kafka()).settings.KAFKA_BROKERS!] };
});
let worker: Worker | undefined;
afterEach(() => worker?.close());

const COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"];

describe.skipIf(!pythonHas("confluent_kafka"))("Python's confluent-kafka (needs confluent-kafka)", () => {
  test.each(COMPRESSIONS)("%s: real packets, several in a batch", async (compression) => {
    const topic = fresh(compression);
    await createTopic(connection, topic);
    const files = avroFiles("ztf");
    python(
      `from confluent_kafka import Producer
p = Producer({'bootstrap.servers': input['brokers'], 'compression.type': input['compression'], 'linger.ms': 200})
for path in input['files']: p.produce(input['topic'], open(path, 'rb').read(), headers={'path': path})
# So well compressible that a bound on the ratio would show.
p.produce(input['topic'], b' ' * 900000)
p.flush()
print('null')`,
      { brokers: connection.brokers[0], compression, files, topic },
    );
    worker = startWorker({ connection, group: fresh("group"), read: topic });
    await untilRead(worker, files.length + 1);
    expect(worker.items.map((item) => ("reason" in item ? item.reason : "packet"))).toEqual([
      ...Array(files.length).fill("packet"),
      "NOT_AVRO",
    ]);
    for (const [i, message] of ztfMessages().entries()) {
      const { bytes } = worker.items[i]!;
      expect(message.includes(Buffer.from(bytes!))).toBe(true);
    }
    expect(Buffer.compare(worker.items.at(-1)!.bytes!, Buffer.alloc(900_000, " "))).toBe(0);
  });
});

describe.skipIf(!pythonHas("kafka", "cramjam"))("Python's kafka-python (needs kafka-python, cramjam)", () => {
  test("snappy in the framing of Java's clients, which the broker itself unpacks", async () => {
    const topic = fresh("xerial");
    await createTopic(connection, topic);
    const lines = Array.from({ length: 2_000 }, (_, i) => `line ${i} of alerts ${"light curve ".repeat(i % 50)}`);
    python(
      `import cramjam, kafka.codec, types
kafka.codec.snappy = types.SimpleNamespace(compress=lambda payload: bytes(cramjam.snappy.compress_raw(payload)))
from kafka import KafkaProducer
p = KafkaProducer(bootstrap_servers=input['brokers'], compression_type='snappy', linger_ms=200, batch_size=500000)
for line in input['lines']: p.send(input['topic'], line.encode())
p.flush()
print('null')`,
      { brokers: connection.brokers[0], topic, lines },
    );
    worker = startWorker({ connection, group: fresh("group"), read: topic });
    await untilRead(worker, lines.length);
    expect(worker.items.map(({ bytes }) => Buffer.from(bytes!).toString())).toEqual(lines);
  });
});
