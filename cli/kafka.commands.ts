// `cli kafka lag|rewind|topics`. Added to the program by cli/program.ts.
import type { Command } from "commander";
import type { KafkaSettings } from "./kafka.settings.js";

/** With Kafka's client, which the other commands need not wait for. */
const work = () => import("./kafka.js");

export function addKafkaCommands(program: Command, settings: () => KafkaSettings): void {
  const kafka = program.command("kafka").description("what is read from Kafka, and how far");
  kafka
    .command("topics")
    .description("topics that KAFKA_TOPICS chooses, with their number of messages")
    .action(async () => (await work()).showTopics(settings()));
  kafka
    .command("lag")
    .description("how far the group KAFKA_GROUP is in each partition, and what waits for it")
    .action(async () => (await work()).showLag(settings()));
  kafka
    .command("rewind")
    .description("move the group's bookmarks, back or forth; its workers must be stopped")
    .requiredOption("--to <where>", "earliest, latest, a time like 2026-01-31T18:00:00Z, or a while ago like 6h")
    .option("--topic <name>", "only in this topic (default: all that KAFKA_TOPICS chooses)")
    .action(async (options: { to: string; topic?: string }) => (await work()).rewind(settings(), options));
}
