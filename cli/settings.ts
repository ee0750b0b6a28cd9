// Every setting of Tocsin, read from the environment in this one place, checked and typed. Called by cli/program.ts.
import { resolve } from "node:path";
import { z } from "zod";
import { TocsinError } from "../domain/errors.js";
import { PROVIDERS } from "../ingest/classifiers/protocol.js";
import { kafkaShape } from "./kafka.settings.js";
import { limitSettings } from "./limits.settings.js";

const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );

const days = z.coerce.number().int().min(1).max(36_500);

const schema = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(4000).describe("port of the API; 0 takes a free one"),
  HOST: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("address to listen on; beyond loopback every change needs the token"),
  DATA_DIR: z
    .string()
    .min(1)
    .default("data")
    .transform((path) => resolve(path))
    .describe("folder of all data"),
  TOCSIN_ROLE: z
    .enum(["all", "serve", "ingest"])
    .default("all")
    .describe("what this process does: all, serve (the API) or ingest (the streams); the latter two need servers"),
  TOCSIN_TOKEN: z
    .string()
    .min(16)
    .optional()
    .describe("bearer token of the owner; made on first start when HOST is not loopback"),
  ALLOWED_HOSTS: list.describe("further Host names that may reach the service, comma-separated"),
  ALLOWED_ORIGINS: list.describe("web origins whose pages may talk to the service, comma-separated"),
  GRAPH_SCOPE: z
    .enum(["hits", "all"])
    .default("hits")
    .describe("which objects enter the graph by themselves: hits or all"),
  CLICKHOUSE_URL: list
    .refine((urls) => urls.every((url) => /^https?:/.test(url) && URL.canParse(url)), "it must be http(s)://host:port")
    .describe("a ClickHouse server in place of the embedded one, or the nodes of a cluster, comma-separated"),
  CLICKHOUSE_USER: z.string().default("default").describe("its user"),
  CLICKHOUSE_PASSWORD: z.string().default("").describe("its password"),
  CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^[A-Za-z_]\w{0,63}$/, "letters, digits and _ only")
    .default("tocsin")
    .describe("its database, made if it is missing"),
  CLICKHOUSE_CLUSTER: z
    .string()
    .regex(/^[\w.-]{1,64}$/, "letters, digits, _, . and - only")
    .optional()
    .describe("the cluster that the nodes form, by its name in system.clusters"),
  CLICKHOUSE_STORAGE_POLICY: z
    .string()
    .regex(/^[\w.-]{1,64}$/, "letters, digits, _, . and - only")
    .optional()
    .describe("the servers' storage policy for all tables; with a volume named cold, packets can move there"),
  PACKETS_COLD_DAYS: days.optional().describe("days after which packets move to the volume cold; unset: never"),
  PACKETS_KEEP_DAYS: days.optional().describe("days after which packets and cutouts are dropped; unset: never"),
  SKY_INDEX_MB: z.coerce
    .number()
    .int()
    .min(0)
    .max(12_288)
    .default(1_024)
    .describe(
      "memory for the positions of objects: 75 bytes each and 66 MB; above it, or with 0, cones ask the archive",
    ),
  CATALOG_MEMORY_MB: z.coerce
    .number()
    .int()
    .min(0)
    .max(262_144)
    .default(1_024)
    .describe(
      "memory for the catalogs that alerts are matched with, some 60 bytes a source; the archive has the others",
    ),
  MODELS_DIR: z
    .string()
    .optional()
    .describe("folder of trained models, each a folder of its own; unset: DATA_DIR/models"),
  MODELS_PROVIDER: z.enum(PROVIDERS).default("cpu").describe("what models run on: cpu, or cuda where there is one"),
  MICROLENSING_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe("processor time of a batch for fits of microlensing, score.microlensing.* in filters: ms; 0: none"),
  FILTER_COST_LIMIT: z.coerce
    .number()
    .positive()
    .default(100)
    .describe("what an active filter may cost the live stream, in filters of ordinary cost"),
  CATALOG_DIR: z
    .string()
    .min(1)
    .optional()
    .describe("folder whose files addCatalog may read (default: catalogs in DATA_DIR)"),
  NEO4J_URL: z.string().optional().describe("a Neo4j server in place of the embedded graph"),
  NEO4J_USER: z.string().default("neo4j").describe("its user"),
  NEO4J_PASSWORD: z.string().default("").describe("its password"),
  ...kafkaShape,
  SCHEMA_DIR: z.string().optional().describe("folder of Avro schemas (*.avsc) for framed packets, for example Rubin's"),
  SCHEMA_REGISTRY_URL: z.url().optional().describe("Confluent schema registry for framed packets"),
  METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe("port of /metrics for whoever reaches it; without one it is on PORT, for the owner"),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url()
    .optional()
    .describe("collector of traces by OTLP over HTTP, for example http://localhost:4318"),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("part of the traces that is sent, from 0 to 1"),
  ...limitSettings,
  LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("debug, info, warn, error or silent"),
});

export type Settings = z.infer<typeof schema>;

/** Empty variables count as unset. Throws BAD_SETTING naming the variable. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const name = String(issue.path[0]);
  throw new TocsinError("BAD_SETTING", `${name}=${given[name] ?? ""} cannot be used: ${issue.message}.`);
}

/** Name, meaning and default of each setting, for `cli help`. */
export function describeSettings(): { name: string; description: string; usual: string }[] {
  const defaults: Readonly<Record<string, unknown>> = readSettings({});
  return Object.entries(schema.shape).map(([name, type]) => ({
    name,
    description: type.description ?? "",
    usual: String((type.def as { defaultValue?: unknown }).defaultValue ?? defaults[name] ?? ""),
  }));
}
