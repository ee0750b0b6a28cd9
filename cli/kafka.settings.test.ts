// The settings KAFKA_*: what is taken, and what is refused with its name.
import { expect, test } from "vitest";
import { z } from "zod";
import { kafkaConnection, kafkaReading, kafkaShape } from "./kafka.settings.js";

const schema = z.object(kafkaShape);
const read = (environment: Record<string, string>) => schema.parse(environment);

test("without KAFKA_BROKERS there is no Kafka", () => {
  expect(kafkaConnection(read({}))).toBeNull();
  expect(kafkaReading(read({ KAFKA_TOPICS: "ztf" }))).toBeNull();
  expect(read({})).toMatchObject({
    KAFKA_GROUP: "tocsin",
    KAFKA_START: "earliest",
    KAFKA_TOPICS: "",
    KAFKA_TLS: false,
  });
});

test("what is read", () => {
  const brokers = { KAFKA_BROKERS: "a.example:9092" };
  expect(kafkaReading(read(brokers))).toBeNull();
  const start = { KAFKA_START: "2026-01-31T18:00:00Z", KAFKA_GROUP: "night" };
  expect(kafkaReading(read({ ...brokers, ...start, KAFKA_TOPICS: "ztf,/lsst.*/" }))).toEqual({
    connection: { brokers: ["a.example:9092"] },
    group: "night",
    topics: { names: ["ztf"], patterns: [/^(?:lsst.*)$/] },
    start: { at: "time", time: Date.parse("2026-01-31T18:00:00Z") },
  });
});

test("brokers, login and TLS", () => {
  const brokers = { KAFKA_BROKERS: "a.example:9092, [::1]:9093" };
  expect(kafkaConnection(read(brokers))).toEqual({ brokers: ["a.example:9092", "[::1]:9093"] });
  const login = { ...brokers, KAFKA_USER: "ann", KAFKA_PASSWORD: "secret", KAFKA_TLS: "true" };
  expect(kafkaConnection(read(login))).toEqual({
    brokers: ["a.example:9092", "[::1]:9093"],
    ssl: true,
    sasl: { mechanism: "scram-sha-512", username: "ann", password: "secret" },
  });
  expect(kafkaConnection(read({ ...login, KAFKA_SASL_MECHANISM: "PLAIN" }))?.sasl).toMatchObject({
    mechanism: "plain",
  });
  const missing = read({ ...login, KAFKA_CA_FILE: "/no/such/file.pem" });
  expect(() => kafkaConnection(missing)).toThrow(/KAFKA_CA_FILE=\/no\/such\/file\.pem cannot be read/);
});

test.each([
  { KAFKA_BROKERS: "a.example" },
  { KAFKA_BROKERS: "http://a.example:9092" },
  { KAFKA_BROKERS: "," },
  { KAFKA_TOPICS: "a b" },
  { KAFKA_TOPICS: "/(/" },
  { KAFKA_START: "sometime" },
  { KAFKA_SASL_MECHANISM: "GSSAPI" },
  { KAFKA_TLS: "yes" },
])("refused: %o", (environment) => {
  const { error } = schema.safeParse(environment);
  expect(error!.issues.map(({ path }) => path[0])).toEqual(Object.keys(environment));
});
