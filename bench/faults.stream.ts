// The seeded stream of the benchmark of faults: alerts of two surveys in Kafka topics at a steady rate, some of them twice
// or out of order, poison between them; and the truth of it, line by line.
import { createWriteStream, type WriteStream } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel, type Producer } from "kafkajs";
import type { Survey } from "../domain/survey.js";
import { createRandom, type Random } from "../ingest/simulator/random.js";
import { FILTERS } from "../test/truefilters.js";
import { containerOf, eachTrueAlert, type TrueAlert } from "../test/truth.js";

export type Told = Omit<TrueAlert, "body">;

/** Of Rubin's schema 10.0: the folder of SCHEMA_DIR has it as v10_0. */
const SCHEMA_ID = 1_000;
const TICK_MS = 100;
const WINDOW = 40;
const REMEMBERED = 200;
/** Parts of the deliveries. */
const [TWICE, POISONED] = [0.04, 0.01];
/** A second night begins in the middle. */
const PARTITIONS: Readonly<Record<string, number>> = {
  ztf_20261121_programid1: 4,
  ztf_20261122_programid1: 5,
  "lsst-alerts-v10.0": 6,
};
const [NIGHT, NEXT_NIGHT, RUBIN] = Object.keys(PARTITIONS) as [string, string, string];

export const TOPICS = Object.keys(PARTITIONS);
export const KAFKA_TOPICS = "/ztf_\\d{8}_programid1/,lsst-alerts-v10.0";

interface Delivery {
  readonly survey: Survey;
  readonly value: Buffer | null;
  /** Null: poison. */
  readonly alert: Told | null;
}

export class AlertStream {
  readonly alerts: Told[] = [];
  /** "filter candid" of each hit that is due by what the broker has taken, in that order. */
  readonly due: string[] = [];
  readonly counts = { messages: 0, duplicates: 0, poison: 0 };
  readonly #random: Random;
  readonly #deliveries: Generator<Delivery>;
  readonly #kafka: Kafka;
  readonly #file: WriteStream;
  readonly #sent = new Set<string>();
  #perSecond = 0;
  #isDone = false;

  constructor(
    readonly seed: string,
    readonly total: number,
    broker: string,
    truthFile: string,
  ) {
    this.#random = createRandom(`${seed} stream`);
    this.#deliveries = this.#made();
    this.#kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 2 } });
    this.#file = createWriteStream(truthFile);
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Alerts that are still to be sent. */
  get left(): number {
    return this.total - this.alerts.length;
  }

  set perSecond(rate: number) {
    this.#perSecond = rate;
  }

  async createTopics(): Promise<void> {
    await this.#create(NIGHT, RUBIN);
  }

  /** Send all, at the rate of the moment. A broker that is away is waited for; the rate is not made up for. */
  async run(signal: AbortSignal): Promise<void> {
    let producer: Producer | null = null;
    let nextNight = false;
    let owed = 0;
    while (!this.#isDone && !signal.aborted) {
      await delay(TICK_MS);
      owed += (this.#perSecond * TICK_MS) / 1000;
      const deliveries: Delivery[] = [];
      while (owed >= 1) {
        owed -= 1;
        const { value, done } = this.#deliveries.next();
        if (done) {
          this.#isDone = true;
          break;
        }
        deliveries.push(value);
      }
      const isNext = this.left < this.total / 2;
      const messages = deliveries.map((of) => this.#messageOf(of, isNext ? NEXT_NIGHT : NIGHT));
      while (messages.length > 0 && !signal.aborted) {
        try {
          if (isNext && !nextNight) await this.#create(NEXT_NIGHT);
          nextNight = isNext;
          producer ??= await this.#connected();
          await producer.sendBatch({ acks: -1, topicMessages: byTopic(messages) });
          break;
        } catch {
          void producer?.disconnect().catch(() => {});
          producer = null;
          await delay(TICK_MS);
        }
      }
      for (const { alert } of deliveries) if (alert !== null) this.#isSent(alert);
    }
    await producer?.disconnect();
    await new Promise<void>((resolve) => this.#file.end(resolve));
  }

  async #connected(): Promise<Producer> {
    const producer = this.#kafka.producer();
    await producer.connect();
    return producer;
  }

  async #create(...topics: readonly string[]): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const numPartitions = (topic: string): number => PARTITIONS[topic]!;
    await admin.createTopics({
      topics: topics.map((topic) => ({ topic, numPartitions: numPartitions(topic) })),
      waitForLeaders: true,
    });
    await admin.disconnect();
  }

  /** Every delivery is a line of the truth file; the message names the line. */
  #messageOf({ survey, value, alert }: Delivery, night: string) {
    const topic = survey === "ZTF" ? night : RUBIN;
    const partition = this.#random.below(PARTITIONS[topic]!);
    const line = this.counts.messages++;
    const about = alert === null ? { poison: true } : { candid: alert.candid, objectId: alert.objectId };
    this.#file.write(`${JSON.stringify({ line, survey, topic, partition, ...about })}\n`);
    const headers = { line: String(line), ...(alert !== null && { candid: `${survey} ${alert.candid}` }) };
    return { topic, message: { partition, key: null, value, headers } };
  }

  #isSent(alert: Told): void {
    const key = `${alert.survey} ${alert.candid}`;
    if (this.#sent.has(key)) return;
    this.#sent.add(key);
    for (const filter of FILTERS) {
      if (filter.survey === alert.survey && filter.passes(alert.fields))
        this.due.push(`${filter.name} ${alert.candid}`);
    }
  }

  *#made(): Generator<Delivery> {
    const random = this.#random.stream("deliveries");
    const recent: Delivery[] = [];
    for (const delivery of this.#shuffled(random)) {
      yield delivery;
      recent.push(delivery);
      if (recent.length > REMEMBERED) recent.splice(random.below(REMEMBERED), 1);
      if (random.uniform() < TWICE) {
        this.counts.duplicates += 1;
        yield random.pick(recent);
      }
      if (random.uniform() < POISONED) {
        this.counts.poison += 1;
        yield poison(random, delivery);
      }
    }
  }

  /** Each alert somewhere among those that are next to it in time. */
  *#shuffled(random: Random): Generator<Delivery> {
    const rubin = Math.round(this.total / 5);
    const counts = new Map<Survey, number>([
      ["ZTF", this.total - rubin],
      ["LSST", rubin],
    ]);
    const window: Delivery[] = [];
    for (const alert of eachTrueAlert(this.seed, counts)) {
      const { body, ...told } = alert;
      this.alerts.push(told);
      window.push({
        survey: alert.survey,
        alert: told,
        value: alert.survey === "ZTF" ? containerOf([alert]) : framed(body),
      });
      if (window.length >= WINDOW) yield window.splice(random.below(WINDOW), 1)[0]!;
    }
    while (window.length > 0) yield window.splice(random.below(window.length), 1)[0]!;
  }
}

function framed(body: Buffer, id = SCHEMA_ID): Buffer {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(id, 1);
  return Buffer.concat([frame, body]);
}

/** No alert, whoever reads it: nothing at all, no packet, half a packet, a schema that nobody knows. */
function poison(random: Random, { survey, value }: Delivery): Delivery {
  const kinds = [null, Buffer.from(`No packet, ${random.below(1e9)}`), value!.subarray(0, value!.length >> 1)];
  if (survey === "LSST") kinds.push(framed(value!.subarray(5), 7));
  return { survey, alert: null, value: random.pick(kinds) };
}

function byTopic(all: readonly { topic: string; message: object }[]) {
  return TOPICS.flatMap((topic) => {
    const messages = all.filter((of) => of.topic === topic).map(({ message }) => message as { value: Buffer | null });
    return messages.length > 0 ? [{ topic, messages }] : [];
  });
}
