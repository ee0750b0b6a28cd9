// The bookmarks of the group in Kafka, shown and moved. Called by cli/kafka.commands.ts.
import type { Kafka } from "kafkajs";
import { TocsinError } from "../domain/errors.js";
import { lagOf, lags, offsetsAt } from "../ingest/sources/kafka/bookmarks.js";
import { moveBookmarks } from "../ingest/sources/kafka/bookmarks.move.js";
import { kafkaClient, withAdmin } from "../ingest/sources/kafka/client.js";
import { parseStart } from "../ingest/sources/kafka/start.js";
import { chosenTopics, parseTopics } from "../ingest/sources/kafka/topics.js";
import { type KafkaSettings, kafkaConnection, START_FORMS } from "./kafka.settings.js";
import { tableOf } from "./table.js";

export async function showTopics(settings: KafkaSettings): Promise<void> {
  const { kafka, topics } = await chosen(settings);
  const found = await withAdmin(kafka, (admin) => lags(admin, settings.KAFKA_GROUP, topics));
  const rows = topics.map((topic) => {
    const partitions = found.filter((at) => at.topic === topic);
    const messages = partitions.reduce((sum, { begin, end }) => sum + end - begin, 0n);
    return [topic, `${partitions.length}`, `${messages}`];
  });
  process.stdout.write(tableOf(["topic", "partitions", "messages"], rows));
}

export async function showLag(settings: KafkaSettings): Promise<void> {
  const { kafka, topics } = await chosen(settings);
  const found = await withAdmin(kafka, (admin) => lags(admin, settings.KAFKA_GROUP, topics));
  const rows = found.map((at) => [
    at.topic,
    `${at.partition}`,
    at.committed === null ? "none" : `${at.committed}`,
    `${at.end}`,
    `${lagOf(at)}`,
  ]);
  process.stdout.write(tableOf(["topic", "partition", "bookmark", "end", "lag"], rows));
  const waiting = found.reduce((sum, at) => sum + lagOf(at), 0n);
  process.stdout.write(waiting === 1n ? "1 message waits.\n" : `${waiting} messages wait.\n`);
}

/** Throws GROUP_IN_USE, BAD_ARGUMENT. */
export async function rewind(settings: KafkaSettings, options: { to: string; topic?: string }): Promise<void> {
  const to = parseStart(options.to, Date.now());
  if (to === null) throw new TocsinError("BAD_ARGUMENT", `--to ${options.to} cannot be used: ${START_FORMS}.`);
  const { kafka, topics } = await chosen(settings, options.topic);
  const group = settings.KAFKA_GROUP;
  const [before, moves] = await withAdmin(kafka, async (admin) => [
    await lags(admin, group, topics),
    await offsetsAt(admin, to, topics),
  ]);
  await moveBookmarks(kafka, group, moves);
  const rows = moves.map(({ topic, partition, offset }) => {
    const committed = before.find((at) => at.topic === topic && at.partition === partition)?.committed ?? null;
    return [topic, `${partition}`, committed === null ? "none" : `${committed}`, `${offset}`];
  });
  process.stdout.write(tableOf(["topic", "partition", "from", "to"], rows));
}

async function chosen(settings: KafkaSettings, only?: string): Promise<{ kafka: Kafka; topics: string[] }> {
  const connection = kafkaConnection(settings);
  if (connection === null) throw new TocsinError("BAD_SETTING", "KAFKA_BROKERS is not set.", { remedy: "Set it." });
  const kafka = kafkaClient(connection);
  const existing = await withAdmin(kafka, (admin) => admin.listTopics());
  const topics =
    only === undefined
      ? chosenTopics(parseTopics(settings.KAFKA_TOPICS), existing)
      : existing.filter((t) => t === only);
  if (topics.length > 0) return { kafka, topics };
  const message = only === undefined ? "No topic in Kafka fits KAFKA_TOPICS." : `There is no topic ${only} in Kafka.`;
  const known = existing.filter((topic) => !topic.startsWith("__")).sort();
  const remedy = known.length === 0 ? "It has none yet." : `It has ${known.slice(0, 20).join(", ")}.`;
  throw new TocsinError(only === undefined ? "BAD_SETTING" : "BAD_ARGUMENT", message, { remedy });
}
