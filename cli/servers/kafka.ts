// A real Kafka broker: one node that is its own controller, without ZooKeeper. Called by commands.ts, tests and bench/.
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Kafka, logLevel } from "kafkajs";
import { type Memory, type Running, remembered, type ServerOptions, startInBackground } from "./background.js";
import { makeCertificate } from "./certificate.js";
import { classPath, type JavaProgram, javaTool } from "./java.js";
import { freePorts, knock } from "./ports.js";

const run = promisify(execFile);

export const KAFKA: JavaProgram = {
  name: "kafka",
  version: "4.3.1",
  artifacts: ["org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-simple:1.7.36"],
};

export interface KafkaOptions extends ServerOptions {
  /**
   * Open a second listener that asks for TLS and SASL/SCRAM, with one user. Its address, user, password and the file
   * of its certificate (PEM) are the settings KAFKA_SECURE_BROKERS, _USER, _PASSWORD and _CA.
   */
  readonly secure?: boolean;
}

const SECURE_USER = "tocsin";
const MiB = 1024 ** 2;
const JVM = [
  "-Xmx512m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];

/** One broker for all: every copy of everything is the only one. Quick where the defaults wait for a cluster. */
const BROKER: Readonly<Record<string, string | number | boolean>> = {
  "process.roles": "broker,controller",
  "node.id": 1,
  "controller.listener.names": "CONTROLLER",
  "inter.broker.listener.name": "PLAINTEXT",
  "offsets.topic.replication.factor": 1,
  "offsets.topic.num.partitions": 1,
  "offsets.retention.minutes": 525_600,
  "transaction.state.log.replication.factor": 1,
  "transaction.state.log.min.isr": 1,
  "transaction.state.log.num.partitions": 1,
  "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
  "share.coordinator.state.topic.replication.factor": 1,
  "share.coordinator.state.topic.min.isr": 1,
  "group.initial.rebalance.delay.ms": 0,
  "group.min.session.timeout.ms": 500,
  // A topic that is misspelt is an error and not a new topic.
  "auto.create.topics.enable": false,
  "message.max.bytes": 8 * MiB,
  "replica.fetch.max.bytes": 8 * MiB,
  // Alerts of past years carry their own times; by those they would be deleted at once.
  "log.retention.ms": -1,
  // After kill -9 the broker waits out its own old registration.
  "broker.session.timeout.ms": 1_500,
  "broker.heartbeat.interval.ms": 200,
  "log.cleaner.dedupe.buffer.size": 16 * MiB,
  "num.network.threads": 2,
  "num.io.threads": 4,
};

/**
 * Start a broker in this folder, or find it running, and wait until it knows its metadata.
 * @throws TocsinError TOOL_MISSING, DOWNLOAD_FAILED, ENGINE_UNAVAILABLE.
 */
export async function startKafka({ folder, tell = () => {}, secure = false }: KafkaOptions): Promise<Running> {
  const path = await classPath(KAFKA, tell);
  const memory = remembered(folder) ?? (await newMemory(secure));
  const settings = settingsOf(folder, memory);
  const config = join(folder, "server.properties");
  return startInBackground({
    name: "kafka",
    folder,
    memory,
    settings,
    async launch(log) {
      tell("Starting Kafka");
      await mkdir(join(folder, "data"), { recursive: true });
      if (memory.securePort !== undefined && !existsSync(certificateOf(folder))) {
        await makeCertificate(folder, String(memory.password));
      }
      await writeFile(config, properties(folder, memory), { mode: 0o600 });
      if (!existsSync(join(folder, "data/meta.properties"))) await format(path, config, memory);
      const output = openSync(log, "a", 0o600);
      try {
        return spawn(javaTool("java"), [...JVM, "-cp", path, "kafka.Kafka", config], {
          cwd: folder,
          detached: true,
          stdio: ["ignore", output, output],
        });
      } finally {
        closeSync(output);
      }
    },
    answers: () => answers(Number(memory.port)),
  });
}

async function newMemory(secure: boolean): Promise<Memory> {
  const [port, controllerPort, securePort] = await freePorts(secure ? 3 : 2);
  // Not base64: a leading "-" would be taken for an option.
  const clusterId = randomBytes(11).toString("hex");
  return {
    port: port!,
    controllerPort: controllerPort!,
    clusterId,
    ...(securePort !== undefined && { securePort, password: randomBytes(24).toString("hex") }),
  };
}

const certificateOf = (folder: string): string => join(folder, "certificate.pem");

function settingsOf(folder: string, { port, securePort, password }: Memory): Record<string, string> {
  return {
    KAFKA_BROKERS: `127.0.0.1:${port}`,
    ...(securePort !== undefined && {
      KAFKA_SECURE_BROKERS: `localhost:${securePort}`,
      KAFKA_SECURE_USER: SECURE_USER,
      KAFKA_SECURE_PASSWORD: String(password),
      KAFKA_SECURE_CA: certificateOf(folder),
    }),
  };
}

function properties(folder: string, memory: Memory): string {
  const { port, controllerPort, securePort } = memory;
  const secured = securePort !== undefined;
  const all = {
    ...BROKER,
    "log.dirs": join(folder, "data"),
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: [
      `PLAINTEXT://127.0.0.1:${port}`,
      `CONTROLLER://127.0.0.1:${controllerPort}`,
      ...(secured ? [`SASL_SSL://127.0.0.1:${securePort}`] : []),
    ].join(),
    "advertised.listeners": [
      `PLAINTEXT://127.0.0.1:${port}`,
      ...(secured ? [`SASL_SSL://localhost:${securePort}`] : []),
    ].join(),
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
    ...(secured && secureProperties(folder, String(memory.password))),
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

const SCRAM = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

function secureProperties(folder: string, password: string): Record<string, string> {
  const login = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  return {
    "sasl.enabled.mechanisms": SCRAM.join(),
    "ssl.keystore.type": "PKCS12",
    "ssl.keystore.location": join(folder, "keystore.p12"),
    "ssl.keystore.password": password,
    ...Object.fromEntries(
      SCRAM.map((name) => [`listener.name.sasl_ssl.${name.toLowerCase()}.sasl.jaas.config`, login]),
    ),
  };
}

/** Make the data folder, once. The users of SCRAM are written into it. */
async function format(path: string, config: string, { clusterId, password }: Memory): Promise<void> {
  const users = SCRAM.flatMap((name) => ["--add-scram", `${name}=[name=${SECURE_USER},password=${password}]`]);
  const options = ["-t", String(clusterId), "-c", config, "--ignore-formatted"];
  const tool = ["kafka.tools.StorageTool", "format", ...options, ...(password === undefined ? [] : users)];
  await run(javaTool("java"), [...JVM, "-cp", path, ...tool]);
}

async function answers(port: number): Promise<void> {
  await knock(port);
  const admin = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const { controller } = await admin.describeCluster();
    if (controller === null) throw new Error("The broker has no controller yet.");
    await admin.fetchTopicMetadata();
  } finally {
    await admin.disconnect();
  }
}
