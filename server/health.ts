// Whether the engines answer that this process needs: asked when somebody wants to know, remembered for a second.
// Made by cli/watching.ts, which adds the engines; shown by health.routes.ts and the metric tocsin_engine_up.
import { TocsinError } from "../domain/errors.js";

/** Probes come from many sides, and each costs the engine a query. */
const REMEMBERED_MS = 1_000;
const TIME_LIMIT_MS = 2_000;

export interface EngineCheck {
  /** "archive", "graph", "kafka". */
  readonly name: string;
  /** Whether this process is of no use without it. */
  readonly needed: boolean;
  /** Throws why it is away. */
  check(): Promise<unknown> | unknown;
}

export interface EngineState {
  readonly ok: boolean;
  readonly needed: boolean;
  /** Null while it is there. */
  readonly code: string | null;
  /** A sentence for the owner, which may name addresses. */
  readonly reason: string | null;
  /** Since when it is there or away, as far as anybody asked: ISO 8601. */
  readonly since: string;
}

export interface Ready {
  readonly ready: boolean;
  readonly engines: Readonly<Record<string, EngineState>>;
}

export class Readiness {
  readonly #engines = new Map<string, Engine>();

  add(check: EngineCheck): void {
    this.#engines.set(check.name, new Engine(check));
  }

  /** Resolves within TIME_LIMIT_MS, whatever the engines do. */
  async now(): Promise<Ready> {
    const asked = [...this.#engines].map(async ([name, engine]) => [name, await engine.now()] as const);
    const engines = Object.fromEntries(await Promise.all(asked));
    return { ready: Object.values(engines).every(({ ok, needed }) => ok || !needed), engines };
  }
}

class Engine {
  #state: EngineState | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** One that hangs is not asked again before it has answered. */
  #asking: Promise<void> | null = null;

  constructor(readonly of: EngineCheck) {}

  async now(): Promise<EngineState> {
    if (this.#state !== null && performance.now() - this.#askedAt < REMEMBERED_MS) return this.#state;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#found(new TocsinError("ENGINE_UNAVAILABLE", `It did not answer within ${TIME_LIMIT_MS / 1000} s.`));
        resolve();
      }, TIME_LIMIT_MS).unref();
    });
    await Promise.race([this.#asking, late]);
    clearTimeout(timer);
    return this.#state!;
  }

  async #ask(): Promise<void> {
    try {
      await this.of.check();
      this.#found(null);
    } catch (error) {
      this.#found(error);
    }
  }

  #found(error: unknown): void {
    this.#askedAt = performance.now();
    const ok = error === null;
    const { message, code } =
      error instanceof TocsinError ? error : { message: "It failed; the log says why.", code: "INTERNAL" };
    const since = this.#state?.ok === ok ? this.#state.since : new Date().toISOString();
    this.#state = { ok, needed: this.of.needed, code: ok ? null : code, reason: ok ? null : message, since };
  }
}
