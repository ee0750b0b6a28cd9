// The settings KAFKA_*, and what they mean to the source and to the publisher. Spread into cli/settings.ts; called by
// cli/live.ts, cli/writing.ts and cli/kafka.ts.
import { readFileSync } from "node:fs";
import { z } from "zod";
import { TocsinError } from "../domain/errors.js";
import type { KafkaConnection } from "../ingest/sources/kafka/client.js";
import type { KafkaOptions } from "../ingest/sources/kafka/source.js";
import { parseStart } from "../ingest/sources/kafka/start.js";
import { parseTopics } from "../ingest/sources/kafka/topics.js";

const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[^\s:,[\]]+):\d{1,5}$/;

const brokers = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  )
  .refine((list) => list.length > 0 && list.every((part) => ADDRESS.test(part)), "it must be host:port,host:port");

const topics = z
  .string()
  .default("")
  .superRefine((text, context) => {
    try {
      parseTopics(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
    }
  });

/** What a user may say for a place in a topic. */
export const START_FORMS = "it must be earliest, latest, a time like 2026-01-31T18:00:00Z or a while ago like 6h";

export const kafkaShape = {
  KAFKA_BROKERS: brokers.optional().describe("Kafka to read alerts from and publish hits to: host:port,host:port"),
  KAFKA_TOPICS: topics.describe(
    "topics to read, comma-separated: names, or patterns as /ztf_\\d{8}_programid1/; new ones are found",
  ),
  KAFKA_GROUP: z.string().min(1).max(255).default("tocsin").describe("the group whose bookmarks say what is read"),
  KAFKA_START: z
    .string()
    .default("earliest")
    .refine((text) => parseStart(text, Date.now()) !== null, START_FORMS)
    .describe("where a topic without bookmark begins: earliest, latest, a time, or a while ago like 6h"),
  KAFKA_SASL_MECHANISM: z
    .enum(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    .default("SCRAM-SHA-512")
    .describe("how KAFKA_USER logs in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"),
  KAFKA_USER: z.string().optional().describe("user of Kafka; without one there is no login"),
  KAFKA_PASSWORD: z.string().default("").describe("its password"),
  KAFKA_TLS: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true")
    .describe("true: speak TLS to Kafka"),
  KAFKA_CA_FILE: z.string().optional().describe("PEM file of the authority that signed Kafka's certificate"),
};

const settings = z.object(kafkaShape);
export type KafkaSettings = z.infer<typeof settings>;

/** How to reach the brokers; null where none are set. Throws BAD_SETTING where KAFKA_CA_FILE cannot be read. */
export function kafkaConnection(read: KafkaSettings): KafkaConnection | null {
  if (read.KAFKA_BROKERS === undefined) return null;
  return {
    brokers: read.KAFKA_BROKERS,
    ...(read.KAFKA_TLS && { ssl: read.KAFKA_CA_FILE === undefined ? true : { ca: [pem(read.KAFKA_CA_FILE)] } }),
    ...(read.KAFKA_USER !== undefined && { sasl: login(read, read.KAFKA_USER) }),
  };
}

/** What is to be read, and how; null where no topics or no brokers are set. Throws as kafkaConnection. */
export function kafkaReading(
  read: KafkaSettings,
): Pick<KafkaOptions, "connection" | "group" | "topics" | "start"> | null {
  const connection = kafkaConnection(read);
  const topics = parseTopics(read.KAFKA_TOPICS);
  if (connection === null || topics.names.length + topics.patterns.length === 0) return null;
  return { connection, group: read.KAFKA_GROUP, topics, start: parseStart(read.KAFKA_START, Date.now())! };
}

function login(read: KafkaSettings, username: string): NonNullable<KafkaConnection["sasl"]> {
  const password = read.KAFKA_PASSWORD;
  switch (read.KAFKA_SASL_MECHANISM) {
    case "PLAIN":
      return { mechanism: "plain", username, password };
    case "SCRAM-SHA-256":
      return { mechanism: "scram-sha-256", username, password };
    case "SCRAM-SHA-512":
      return { mechanism: "scram-sha-512", username, password };
  }
}

function pem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new TocsinError("BAD_SETTING", `KAFKA_CA_FILE=${path} cannot be read.`, { cause });
  }
}
