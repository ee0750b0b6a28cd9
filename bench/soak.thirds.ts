// What the samples of a soak come to: the first third against the last, and whether anything grows. Used by soak.bench.ts.
import { cpus } from "node:os";
import { type BenchResult, spread } from "./harness.js";
import type { Sample } from "./soak.sample.js";

export interface SoakTotals {
  readonly minutes: number;
  readonly rate: number;
  readonly subscribers: number;
  readonly filters: number;
  readonly bytesPerPacket: number;
  readonly alerts: number;
  /** Deliveries: hits times their subscribers; and how many came. */
  readonly due: number;
  readonly received: number;
  readonly faults: readonly string[];
  /** Alerts that were not stored as new ones. */
  readonly failed: number;
}

/** Columns of the table, in its order. */
const COLUMNS: readonly (readonly [keyof Sample, string])[] = [
  ["alertsPerSecond", "alerts/s"],
  ["hitsPerSecond", "hits/s"],
  ["deliveriesPerSecond", "deliveries/s"],
  ["p50Ms", "hit latency p50, ms"],
  ["p99Ms", "hit latency p99, ms"],
  ["serviceRssMb", "service RSS, MiB"],
  ["heapMb", "of it JavaScript heap, MiB"],
  ["positions", "objects in its sky index"],
  ["engineRssMb", "engine RSS, MiB"],
  ["serviceHandles", "handles of the service"],
  ["engineHandles", "handles of the engine"],
  ["sockets", "sockets of both"],
  ["parts", "parts in ClickHouse"],
  ["mostParts", "most parts of a partition"],
  ["archiveMb", "archive on disk, MiB"],
  ["packetsMb", "packets on disk, MiB"],
  ["graphMb", "graph on disk, MiB"],
  ["load", "load of the machine"],
];

const of = (samples: readonly Sample[], key: keyof Sample): number[] =>
  samples.map((sample) => sample[key]).filter((value) => Number.isFinite(value));
const median = (values: readonly number[]): number => (values.length === 0 ? Number.NaN : spread(values).median);

/** Least squares over the last two thirds: units an hour. */
function growthPerHour(samples: readonly Sample[], key: keyof Sample): number {
  const points = samples.slice(Math.floor(samples.length / 3));
  const meanX = points.reduce((sum, { seconds }) => sum + seconds, 0) / points.length;
  const meanY = points.reduce((sum, point) => sum + point[key], 0) / points.length;
  const above = points.reduce((sum, point) => sum + (point.seconds - meanX) * (point[key] - meanY), 0);
  const below = points.reduce((sum, point) => sum + (point.seconds - meanX) ** 2, 0);
  return below === 0 ? 0 : (3600 * above) / below;
}

export function soakResult(samples: readonly Sample[], totals: SoakTotals): BenchResult {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const [first, last] = [samples.slice(0, third), samples.slice(-third)];
  const rows = COLUMNS.map(([key, name]) => ({
    what: name,
    "first third": median(of(first, key)),
    "last third": median(of(last, key)),
    most: Math.max(...of(samples, key)),
  }));
  const ratio = (key: keyof Sample): number => median(of(last, key)) / median(of(first, key));
  const one = (value: number) => ({ median: value, min: value, max: value });
  const { rate, due, received, faults, failed, ...sizes } = totals;
  const cpu = cpuPerAlert(samples);
  const reached = storedIn(samples) / (samples.at(-1)!.seconds - samples[0]!.seconds);
  const most = 1.1;
  const flat = (what: string, key: keyof Sample) => ({
    text: `${what}: last third at most ${most} of the first`,
    reached: ratio(key).toFixed(3),
    met: ratio(key) <= most,
  });
  return {
    name: "soak",
    sizes: { ...sizes, "alerts/s sent": rate, samples: samples.length },
    rows,
    ratios: {
      "service RSS, last third / first": one(ratio("serviceRssMb")),
      "JavaScript heap, last third / first": one(ratio("heapMb")),
      "engine RSS, last third / first": one(ratio("engineRssMb")),
      "hit p50, last third / first": one(ratio("p50Ms")),
      "hit p99, last third / first": one(ratio("p99Ms")),
    },
    goals: [
      { text: "the rate is kept", reached: `${reached.toFixed(0)} of ${rate}`, met: reached >= 0.98 * rate },
      flat("memory of the service", "serviceRssMb"),
      flat("memory of the engine", "engineRssMb"),
      flat("JavaScript heap", "heapMb"),
      flat("handles of the service", "serviceHandles"),
      flat("handles of the engine", "engineHandles"),
      { text: "every hit at every subscriber of it, once", reached: `${received} of ${due}`, met: received === due },
      {
        text: "no subscriber cut off, no alert refused",
        reached: faults.length + failed === 0 ? "none" : [`${failed} alerts`, ...faults.slice(0, 3)].join("; "),
        met: faults.length + failed === 0,
      },
    ],
    figures: {
      cpuMillisecondsPerAlert: cpu,
      hitLatencyMs: { p50: median(of(samples, "p50Ms")), p99: median(of(samples, "p99Ms")) },
      growthPerHour: {
        serviceRssMb: growthPerHour(samples, "serviceRssMb"),
        engineRssMb: growthPerHour(samples, "engineRssMb"),
        heapMb: growthPerHour(samples, "heapMb"),
      },
      cores: cpus().length,
      samples,
    },
  };
}

/** user + sys of service and engine between the first and the last sample. */
function cpuPerAlert(samples: readonly Sample[]): { service: number; engine: number } {
  const [first, last] = [samples[0]!, samples.at(-1)!];
  const alerts = storedIn(samples);
  return {
    service: (1000 * (last.serviceCpuSeconds - first.serviceCpuSeconds)) / alerts,
    engine: (1000 * (last.engineCpuSeconds - first.engineCpuSeconds)) / alerts,
  };
}

/** Alerts between the first and the last sample. */
function storedIn(samples: readonly Sample[]): number {
  return samples
    .slice(1)
    .reduce((sum, sample, n) => sum + sample.alertsPerSecond * (sample.seconds - samples[n]!.seconds), 0);
}
