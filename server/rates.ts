// What callers have used of this minute: requests and cost. Used by guard.ts for HTTP and websocket.ts for operations.
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { TocsinError } from "../domain/errors.js";
import type { Quota, ServerLimits } from "./bounds.js";
import type { Caller } from "./caller.js";

const MINUTE_S = 60;
/** Callers counted apart in a minute; whoever is new beyond them shares one quota, so that the memory has a bound. */
const MOST_CALLERS = 50_000;

/** What is refused here is counted in the units that the caller's quota has. */
const UNITS = { requests: "requestsPerMinute", cost: "costPerMinute" } as const satisfies Record<string, keyof Quota>;
export type Unit = keyof typeof UNITS;

export interface Rates {
  /** Takes `points` off the caller's quota. Throws RATE_LIMITED, and takes nothing, where less is left. */
  spend(caller: Pick<Caller, "key" | "kind">, unit: Unit, points: number): Promise<void>;
  /** RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10); none for a caller without a quota. */
  headers(caller: Caller): Promise<Record<string, string>>;
}

export function createRates(limits: Pick<ServerLimits, "address" | "token">): Rates {
  const ofKind = { local: null, token: metersOf(limits.token), address: metersOf(limits.address) };
  return {
    async spend({ kind, key }, unit, points) {
      await ofKind[kind]?.[unit]?.spend(key, unit, points);
    },
    async headers({ kind, key }) {
      const meters = Object.entries(ofKind[kind] ?? {}).filter(([, meter]) => meter !== null);
      if (meters.length === 0) return {};
      const left = meters.map(async ([unit, meter]) => `"${unit}";${await meter!.left(key)}`);
      return {
        "ratelimit-policy": meters.map(([unit, meter]) => `"${unit}";q=${meter!.points};w=${MINUTE_S}`).join(", "),
        ratelimit: (await Promise.all(left)).join(", "),
      };
    },
  };
}

function metersOf(quota: Quota): Record<Unit, Meter | null> {
  const meter = (unit: Unit) => (quota[UNITS[unit]] === 0 ? null : new Meter(quota[UNITS[unit]]));
  return { requests: meter("requests"), cost: meter("cost") };
}

class Meter {
  readonly #limiter: RateLimiterMemory;
  #minute = 0;
  #callers = 0;

  constructor(readonly points: number) {
    this.#limiter = new RateLimiterMemory({ points, duration: MINUTE_S });
  }

  async spend(caller: string, unit: Unit, points: number): Promise<void> {
    const key = await this.#keyOf(caller);
    try {
      await this.#limiter.consume(key, points);
    } catch (refusal) {
      if (refusal instanceof Error) throw refusal;
      // What was not run is given back, so that smaller queries can go on.
      const { remainingPoints } = await this.#limiter.reward(key, points);
      throw limited(unit, points, this.points, remainingPoints, refusal as RateLimiterRes);
    }
  }

  /** Points left and seconds to the next minute, as RateLimit writes them. */
  async left(caller: string): Promise<string> {
    const used = await this.#limiter.get(caller);
    return `r=${used?.remainingPoints ?? this.points};t=${seconds(used?.msBeforeNext ?? MINUTE_S * 1000)}`;
  }

  async #keyOf(caller: string): Promise<string> {
    const minute = Math.floor(Date.now() / (MINUTE_S * 1000));
    if (minute !== this.#minute) [this.#minute, this.#callers] = [minute, 0];
    if ((await this.#limiter.get(caller)) !== null) return caller;
    this.#callers += 1;
    return this.#callers > MOST_CALLERS ? "others" : caller;
  }
}

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

function limited(unit: Unit, points: number, of: number, left: number, { msBeforeNext }: RateLimiterRes): TocsinError {
  const retryAfterSeconds = seconds(msBeforeNext);
  const used =
    unit === "requests"
      ? `You have used your ${of} requests of this minute.`
      : `The query costs ${points} units; you have ${left} left of your ${of} of this minute.`;
  return new TocsinError("RATE_LIMITED", used, { details: { limit: unit, retryAfterSeconds } });
}
