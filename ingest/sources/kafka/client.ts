// A client of the brokers that the settings name. Called by source.ts and cli/kafka.ts.
import kafkajs, { type Admin, type Kafka, type SASLOptions } from "kafkajs";
import { TocsinError } from "../../../domain/errors.js";
import { registerCodecs } from "./codecs.js";

/** Mechanism (plain, scram-sha-256 or scram-sha-512), username, password. */
export type KafkaLogin = Exclude<SASLOptions, { mechanism: "aws" | "oauthbearer" }>;

export interface KafkaConnection {
  /** "host:port". */
  readonly brokers: readonly string[];
  readonly login?: KafkaLogin;
  /** TLS; `ca` is the PEM text of the authority to trust in place of the system's. */
  readonly tls?: { readonly ca?: string };
}

/** What kafkajs logs is told by its errors and events too; here each outage is one line, and said by source.ts. */
const silent = () => () => {};

export function kafkaClient({ brokers, login, tls }: KafkaConnection): Kafka {
  registerCodecs();
  return new kafkajs.Kafka({
    clientId: "tocsin",
    brokers: [...brokers],
    ...(login !== undefined && { sasl: login }),
    ...(tls !== undefined && { ssl: tls.ca === undefined ? true : { ca: [tls.ca] } }),
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
    const message = `Kafka does not answer as it should: ${(error as Error).message.replace(/\.$/, "")}.`;
    throw new TocsinError("ENGINE_UNAVAILABLE", message, {
      remedy: "Look at the brokers and at the settings KAFKA_*.",
      cause: error,
    });
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
