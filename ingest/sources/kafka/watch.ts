// What an operator is told: one line when Kafka, the schemas or a topic go away and one when they are back. Called by source.ts.
import { sentence } from "./client.js";

export interface KafkaState {
  /** Whether we are a living member of the group (or no topic is there to read). */
  readonly broker: "up" | "down";
  /** Whether the schemas of framed packets can be asked for. */
  readonly schemas: "up" | "down";
  /** Why something is down; null while all is well. */
  readonly why: string | null;
  /** The topics that are read. */
  readonly topics: readonly string[];
}

export interface WatchOptions {
  readonly brokers: readonly string[];
  readonly group: string;
  readonly log: (line: string) => void;
  readonly onState: (state: KafkaState) => void;
}

export class Watch {
  readonly #options: WatchOptions;
  #broker: { since: number; why: string } | null = { since: performance.now(), why: "it was not asked yet" };
  #isTold = false;
  #schemas: { since: number; why: string } | null = null;
  #topics: readonly string[] = [];
  #isFirst = true;
  readonly #missing = new Set<string>();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  get state(): KafkaState {
    return {
      broker: this.#broker === null ? "up" : "down",
      schemas: this.#schemas === null ? "up" : "down",
      why: this.#broker?.why ?? this.#schemas?.why ?? null,
      topics: this.#topics,
    };
  }

  down(why: string): void {
    this.#broker = { since: this.#broker?.since ?? performance.now(), why };
    if (!this.#isTold)
      this.#log(`Kafka at ${this.#options.brokers.join(", ")} is away: ${why}. Tried again until it is back.`);
    this.#isTold = true;
    this.#tell();
  }

  up(): void {
    if (this.#broker === null) return;
    const { since } = this.#broker;
    this.#broker = null;
    if (this.#isTold) this.#log(`Kafka is back after ${seconds(since)}; reading goes on at the bookmarks.`);
    this.#isTold = false;
    this.#tell();
  }

  schemas(fault: Error | null): void {
    if (fault !== null) {
      this.#schemas = { since: performance.now(), why: sentence(fault) };
      this.#log(`Packets wait for their schema: ${this.#schemas.why}.`);
    } else if (this.#schemas !== null) {
      this.#log(`Schemas are there again after ${seconds(this.#schemas.since)}.`);
      this.#schemas = null;
    }
    this.#tell();
  }

  topics(found: readonly string[], asked: readonly string[]): void {
    const come = found.filter((topic) => !this.#topics.includes(topic));
    const gone = this.#topics.filter((topic) => !found.includes(topic));
    const { group } = this.#options;
    if (come.length > 0 && this.#isFirst) this.#log(`Reading from Kafka as group ${group}: ${come.join(", ")}.`);
    else if (come.length > 0) this.#log(`New in Kafka and read from now on: ${come.join(", ")}.`);
    if (gone.length > 0) this.#log(`Gone from Kafka: ${gone.join(", ")}; the other topics are read on.`);
    const missing = asked.filter(
      (topic) => !found.includes(topic) && !gone.includes(topic) && !this.#missing.has(topic),
    );
    if (missing.length > 0) this.#log(`Not in Kafka yet, and read as soon as they are: ${missing.join(", ")}.`);
    else if (this.#isFirst && found.length === 0) this.#log("No topic in Kafka fits KAFKA_TOPICS yet.");
    for (const topic of missing) this.#missing.add(topic);
    for (const topic of found) this.#missing.delete(topic);
    this.#topics = found;
    this.#isFirst = false;
    this.#tell();
  }

  /** The consumer ended although the brokers answer. */
  restarted(why: Error): void {
    this.#log(`Kafka's consumer is started again: ${sentence(why)}.`);
  }

  #log(line: string): void {
    this.#options.log(line);
  }
  #tell(): void {
    this.#options.onState(this.state);
  }
}

const seconds = (since: number): string => `${Math.round((performance.now() - since) / 1000)} s`;
