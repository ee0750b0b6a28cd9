// A service on embedded engines for half an hour: a steady stream of alerts, 25 filters, 100 subscribers. Does it hold
// its memory, its handles and its latencies? Run by bench/main: `npm run bench -- soak --minutes=30 --rate=500`.
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { sendContainer } from "../cli/control.js";
import { container } from "../ingest/simulator/write.js";
import { childrenOf } from "../test/process.js";
import { until } from "../test/until.js";
import { OurProcess } from "./faults.processes.js";
import type { BenchResult } from "./harness.js";
import { writeSoak } from "./soak.doc.js";
import { createFilters } from "./soak.filters.js";
import { endlessAlerts, type StreamAlert } from "./soak.packets.js";
import { held, type Sample, type Watched } from "./soak.sample.js";
import { type Subscribers, subscribe } from "./soak.subscribers.js";
import { soakResult } from "./soak.thirds.js";

/** As `npm run simulate -- --live` sends. */
const TICK_MS = 250;
const MOST_IN_CONTAINER = 1_000;
const [ZTF_FILTERS, LSST_FILTERS] = [20, 5];
const FILTERS = ZTF_FILTERS + LSST_FILTERS;
/** The stream flows before anything is measured. */
const WARM_UP_S = 20;

export async function run(smoke: boolean, options: Readonly<Record<string, string>> = {}): Promise<BenchResult> {
  const given = {
    minutes: smoke ? "0.3" : "30",
    rate: smoke ? "50" : "500",
    subscribers: smoke ? "25" : "100",
    ...options,
  };
  const [minutes, rate, count] = [Number(given.minutes), Number(given.rate), Number(given.subscribers)];
  if (count % FILTERS !== 0) throw new Error(`--subscribers must be a multiple of ${FILTERS}, the number of filters.`);
  const everySeconds = smoke ? 3 : 10;
  const folder = await mkdtemp(join(tmpdir(), "tocsin-soak-"));
  const dataDir = join(folder, "data");
  const service = new OurProcess("service", { DATA_DIR: dataDir, PORT: "0" });
  const closers = [() => rm(folder, { recursive: true, force: true }), () => service.stop()];
  try {
    const sky = smoke ? 200 : 6_000;
    const alerts = endlessAlerts({
      seed: "soak",
      alerts: new Map([
        ["ZTF", sky * 0.8],
        ["LSST", sky * 0.2],
      ]),
      cutoutBytes: 600,
    });
    const url = await started(service, dataDir);
    const ids = await createFilters(url, ZTF_FILTERS, LSST_FILTERS);
    const sentAt = new Map<string, number>();
    const subscribers = await subscribe(url, ids, count, (candid) => sentAt.get(candid));
    closers.push(() => subscribers.close());
    const stream = new Stream(dataDir, rate, () => alerts.next(), sentAt);
    const sending = stream.run((smoke ? 3 : WARM_UP_S) + 60 * minutes);
    // Looked at when the sampling is over.
    sending.catch(() => {});
    await delay(1000 * (smoke ? 3 : WARM_UP_S));
    const watched = { url, dataDir, service: service.pid!, engine: childrenOf(service.pid!)[0]! };
    const samples = await sample(watched, stream, subscribers, minutes, everySeconds);
    await sending;
    // Each filter has as many subscribers as any other.
    const due = (stream.hits * count) / ids.length;
    const received = () => subscribers.received.reduce((sum, n) => sum + n, 0);
    await until("the last hits", () => received() >= due || subscribers.faults.length > 0, 60_000).catch(() => {});
    const result = soakResult(samples, {
      minutes,
      rate,
      subscribers: count,
      filters: ids.length,
      bytesPerPacket: alerts.meanBytes,
      alerts: stream.stored,
      due,
      received: received(),
      faults: [...subscribers.faults, ...service.crashes],
      failed: stream.failed,
    });
    if (!smoke) await writeSoak(result, samples);
    return result;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** Waits until it says where it answers. */
async function started(service: OurProcess, dataDir: string): Promise<string> {
  await service.start();
  const url = service.lines.map((line) => /Tocsin answers at (\S+)\/graphql/.exec(line)?.[1]).find(Boolean);
  if (url === undefined) throw new Error(`No service on ${dataDir}.`);
  return url;
}

/** Sends at a steady rate; what could not be sent in time goes in larger containers, as a broker would hand it over. */
class Stream {
  stored = 0;
  hits = 0;
  failed = 0;
  behind = 0;

  constructor(
    readonly dataDir: string,
    readonly rate: number,
    readonly next: () => StreamAlert,
    readonly sentAt: Map<string, number>,
  ) {}

  async run(seconds: number): Promise<void> {
    const startedAt = performance.now();
    const total = Math.round(seconds * this.rate);
    for (let sent = 0; sent < total; ) {
      const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1000) * this.rate));
      const count = Math.min(due - sent, MOST_IN_CONTAINER);
      const own = new Map<string, StreamAlert[]>();
      for (let n = 0; n < count; n += 1) {
        const alert = this.next();
        own.set(alert.survey, [...(own.get(alert.survey) ?? []), alert]);
      }
      for (const [survey, alerts] of own) await this.#send(survey, alerts);
      sent += count;
      this.behind = Math.max(0, ((performance.now() - startedAt) / 1000) * this.rate - sent);
      await delay(this.behind > this.rate ? 0 : TICK_MS);
    }
  }

  async #send(survey: string, alerts: readonly StreamAlert[]): Promise<void> {
    const bytes = container(survey, alerts);
    const now = Date.now();
    for (const { candid } of alerts) this.sentAt.set(`${candid}`, now);
    const counts = await sendContainer(this.dataDir, bytes, "soak");
    this.stored += counts.stored;
    this.hits += counts.hits;
    this.failed += counts.duplicates + counts.deadLetters;
    // Hits that come minutes later than their alerts are counted, their latency is not.
    for (const [candid, at] of this.sentAt) {
      if (now - at < 300_000) break;
      this.sentAt.delete(candid);
    }
  }
}

async function sample(
  watched: Watched,
  stream: Stream,
  subscribers: Subscribers,
  minutes: number,
  everySeconds: number,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const received = () => subscribers.received.reduce((sum, n) => sum + n, 0);
  const startedAt = performance.now();
  subscribers.latencies();
  let before = { at: startedAt, stored: stream.stored, hits: stream.hits, received: received() };
  for (let n = 1; n * everySeconds <= 60 * minutes; n += 1) {
    await delay(Math.max(0, startedAt + 1000 * everySeconds * n - performance.now()));
    const now = { at: performance.now(), stored: stream.stored, hits: stream.hits, received: received() };
    const late = subscribers.latencies().sort((a, b) => a - b);
    const at = (share: number): number =>
      late[Math.min(late.length - 1, Math.floor(late.length * share))] ?? Number.NaN;
    const seconds = (now.at - before.at) / 1000;
    samples.push({
      seconds: (now.at - startedAt) / 1000,
      alertsPerSecond: (now.stored - before.stored) / seconds,
      hitsPerSecond: (now.hits - before.hits) / seconds,
      deliveriesPerSecond: (now.received - before.received) / seconds,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      mostMs: at(1),
      behindAlerts: Math.round(stream.behind),
      load: loadavg()[0]!,
      ...(await held(watched)),
    });
    before = now;
  }
  return samples;
}
