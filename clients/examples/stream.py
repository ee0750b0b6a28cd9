"""Hits of a filter from its Kafka topic, one a line:  python stream.py TOPIC [GROUP]

A reader goes on where its GROUP has left off, with this or another process; without a GROUP it reads all there is."""

import io
import json
import os
import sys
import urllib.request
import uuid

import fastavro
from confluent_kafka import Consumer

URL = os.environ.get("TOCSIN_URL", "http://127.0.0.1:4000")
BROKERS = os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092")


def avro_reader():
    with urllib.request.urlopen(f"{URL}/streams/hits.avsc") as answer:
        schema = fastavro.parse_schema(json.load(answer))

    def read(value):
        header = 5 if value[0] == 0 else 10  # Confluent's framing, or Avro's single-object encoding
        return fastavro.schemaless_reader(io.BytesIO(value[header:]), schema)

    return read


topic = sys.argv[1]
group = sys.argv[2] if len(sys.argv) > 2 else str(uuid.uuid4())
read = avro_reader() if topic.endswith(".avro") else json.loads
consumer = Consumer({
    "bootstrap.servers": BROKERS,
    "group.id": group,
    "auto.offset.reset": "earliest",
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
})
consumer.subscribe([topic])
try:
    while True:
        message = consumer.poll(1)
        if message is None or message.error():
            continue  # nothing new, or the broker is away: librdkafka goes on by itself
        headers = {name: text.decode() for name, text in message.headers()}
        print(json.dumps({"headers": headers, "hit": read(message.value())}, default=str), flush=True)
        consumer.commit(message, asynchronous=False)  # only now: a reader that is killed gets this hit once more
except KeyboardInterrupt:
    consumer.close()  # so that the group need not wait for this reader
