// A gauge whose value is asked for when Prometheus comes. Used by metrics.*.ts; cli/watching.ts says where to ask.
import { Counter, Gauge, type Registry } from "prom-client";

export interface Reading {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** All values at the moment of the call. A reader that throws or takes too long leaves its metric out of this answer. */
export type Reader = () => number | readonly Reading[] | null | Promise<number | readonly Reading[] | null>;

export interface ReadGauge {
  /** Absent from the answers until somebody says where to read, and while there is nothing to read (null). */
  from(reader: Reader): void;
}

/** Prometheus gives up after some seconds, and then has nothing at all. */
const TIME_LIMIT_MS = 3_000;

export function readGauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[] = [],
): ReadGauge {
  let reader: Reader = () => null;
  new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    async collect() {
      const read = await inTime(reader);
      this.reset();
      // Without labels there is a zero from the beginning, which nobody has measured.
      if (labelNames.length === 0) this.remove();
      for (const { labels, value } of readings(read)) this.set(labels, value);
    },
  });
  return {
    from(next) {
      reader = next;
    },
  };
}

async function inTime(reader: Reader): Promise<number | readonly Reading[] | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, TIME_LIMIT_MS, null).unref();
  });
  try {
    return await Promise.race([reader(), late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

const readings = (read: number | readonly Reading[] | null): readonly Reading[] =>
  read === null ? [] : typeof read === "number" ? [{ labels: {}, value: read }] : read;

/** A counter that somebody else keeps. */
export function readCounter(registry: Registry, name: string, help: string): { from(reader: () => number): void } {
  let reader = () => 0;
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(reader());
    },
  });
  return {
    from(next) {
      reader = next;
    },
  };
}
