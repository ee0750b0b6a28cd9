// A client of the brokers that the settings name. Called by source.ts and cli/kafka.ts.
import kafkajs, { type Admin, type Kafka, type KafkaConfig } from "kafkajs";
import { TocsinError } from "../../../domain/errors.js";
import { registerCodecs } from "./codecs.js";

/** How to reach the brokers ("host:port"): in the clear or by TLS (`ssl`), with a login (`sasl`) or without. */
export type KafkaConnection = Pick<KafkaConfig, "ssl" | "sasl"> & { readonly brokers: string[] };

/** What kafkajs logs is told by its errors and events too; here each outage is one line, and said by source.ts. */
const silent = () => () => {};

export function kafkaClient(connection: KafkaConnection): Kafka {
  registerCodecs();
  return new kafkajs.Kafka({
    ...connection,
    clientId: "tocsin",
    connectionTimeout: 5_000,
    authenticationTimeout: 10_000,
    requestTimeout: 20_000,
    retry: { retries: 5, initialRetryTime: 200, maxRetryTime: 2_000 },
    logCreator: silent,
  });
}

/** Do `work` with a connected admin client and close it. Throws ENGINE_UNAVAILABLE with the cause where that fails. */
export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    if (error instanceof TocsinError) throw error;
    const message = `Kafka does not answer as it should: ${sentence(error as Error)}.`;
    throw new TocsinError("ENGINE_UNAVAILABLE", message, {
      remedy: "Look at the brokers and at the settings KAFKA_*.",
      cause: error,
      engine: "kafka",
    });
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

/** The first cause of an error, for the end of a sentence. */
export function sentence(error: Error): string {
  return error.cause instanceof Error ? sentence(error.cause) : error.message.replace(/\.+$/, "");
}
