// The hub against a log in memory: no hit lost, none doubled, whatever happens in which order.
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TocsinError } from "../domain/errors.js";
import type { DeliveredHit } from "../domain/filter.js";
import { maySee, type Viewer } from "../domain/viewer.js";
import { type HitDraft, MemoryHits } from "../test/memoryhits.js";
import { until } from "../test/until.js";
import { createHitHub, type HitHub } from "./hub.js";
import type { HitRequest, Sink } from "./request.js";

const OWNER: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const ANYBODY: Viewer = { scope: "anonymous", programids: new Map([["ZTF", [1]]]), mayChange: false };

class Collector implements Sink<bigint> {
  readonly seqs: bigint[] = [];
  error: unknown = null;
  most = Number.POSITIVE_INFINITY;
  stop: () => void = () => {};

  take(items: readonly bigint[]): boolean {
    if (this.seqs.length + items.length > this.most) return false;
    this.seqs.push(...items);
    return true;
  }
  async room(): Promise<void> {}
  fail(error: unknown): void {
    this.error = error;
  }
}

const seqsOf = async (hits: readonly DeliveredHit[]) => hits.map((hit) => hit.seq);

function collect(hub: HitHub, request: Partial<HitRequest> = {}, most = Number.POSITIVE_INFINITY): Collector {
  const collector = new Collector();
  collector.most = most;
  const whole = { filterIds: ["f1"], viewer: OWNER, after: null, ...request };
  const key = `${whole.viewer.scope} ${whole.filterIds}`;
  collector.stop = hub.subscribe(whole, key, seqsOf, collector);
  return collector;
}

const drafts = (count: number): HitDraft[] => Array.from({ length: count }, () => ({}));

describe("hub", () => {
  it("hands live hits over in order and only those asked for and visible", async () => {
    const log = new MemoryHits();
    const hub = await createHitHub(log);
    const all = collect(hub);
    const open = collect(hub, { viewer: ANYBODY });
    const other = collect(hub, { filterIds: ["f2", "f3"] });
    hub.publish(log.store({}, { programid: 2 }, { filterId: "f2" }, { filterId: "f4" }, { filterId: "f3" }, {}));
    await until("all hits", () => all.seqs.length === 3 && open.seqs.length === 2 && other.seqs.length === 2);
    expect([all.seqs, open.seqs, other.seqs]).toEqual([
      [1n, 2n, 6n],
      [1n, 6n],
      [3n, 5n],
    ]);
  });

  it("reads what was stored and never published from the archive, and forgets what it has had", async () => {
    const log = new MemoryHits();
    log.store(...drafts(3));
    const hub = await createHitHub({ ...log, limits: { page: 2 } });
    const live = collect(hub);
    log.store(...drafts(5)); // 4..8, lost on the way
    const ninth = log.store({});
    hub.publish(ninth);
    await until("the gap", () => live.seqs.length === 6);
    hub.publish([...log.stored.slice(6), ...log.store({})]); // a retry: 7, 8, 9 again, then 10
    await until("the tenth", () => live.seqs.length === 7);
    expect(live.seqs).toEqual([4n, 5n, 6n, 7n, 8n, 9n, 10n]);
  });

  it("tries again when the archive cannot be read, and says why", async () => {
    const log = new MemoryHits();
    const faults: unknown[] = [];
    const onFault = (error: Error) => faults.push(error);
    const hub = await createHitHub({ ...log, onFault, onBack: ({ message }) => faults.push(`no more ${message}`) });
    const live = collect(hub);
    log.store({});
    log.failures.push(new Error("engine away"));
    hub.publish(log.store({}));
    await until("both hits", () => live.seqs.length === 2);
    expect(live.seqs).toEqual([1n, 2n]);
    expect(faults).toEqual([new Error("engine away"), "no more engine away"]);
  });

  it("ends a replay that the archive cannot serve with its error", async () => {
    const log = new MemoryHits();
    log.store({});
    const hub = await createHitHub(log);
    log.failures.push(new Error("engine away"));
    const failed = collect(hub, { after: 0n });
    await until("the error", () => failed.error !== null);
    expect(failed.error).toEqual(new Error("engine away"));
  });

  it("goes over a seq that was never given", async () => {
    const log = new MemoryHits();
    const hub = await createHitHub(log);
    const live = collect(hub);
    const hits = log.store(...drafts(3));
    log.stored.splice(1, 1);
    hub.publish([hits[0]!, hits[2]!]);
    await until("the third", () => live.seqs.length === 2);
    expect(live.seqs).toEqual([1n, 3n]);
  });

  it("renders a hit once for subscribers of one key, and replays together those who come back together", async () => {
    const log = new MemoryHits();
    log.store(...drafts(10));
    const hub = await createHitHub(log);
    let rendered = 0;
    const sinks = Array.from({ length: 1_000 }, () => {
      const sink = new Collector();
      const request = { filterIds: ["f1"], viewer: OWNER, after: 4n };
      sink.stop = hub.subscribe(
        request,
        "same",
        async (hits) => {
          rendered += hits.length;
          return hits.map((hit) => hit.seq);
        },
        sink,
      );
      return sink;
    });
    await until("the replay", () => sinks.every((sink) => sink.seqs.length === 6));
    expect([rendered, log.pagesRead]).toEqual([6, 1]);
    hub.publish(log.store(...drafts(4)));
    await until("live hits", () => sinks.every((sink) => sink.seqs.length === 10));
    expect(rendered).toBe(10);
    expect(sinks[999]!.seqs).toEqual([5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n, 13n, 14n]);
  });

  it("replays from memory what is new, and from the archive what is older", async () => {
    const log = new MemoryHits();
    const hub = await createHitHub({ ...log, limits: { recent: 4 } });
    hub.publish(log.store(...drafts(9))); // of the first nine, four stay
    await until("the nine", () => hub.last === 9n);
    const newer = collect(hub, { after: 5n });
    await until("four", () => newer.seqs.length === 4);
    expect([newer.seqs, log.pagesRead]).toEqual([[6n, 7n, 8n, 9n], 0]);
    const older = collect(hub, { after: 4n });
    await until("five", () => older.seqs.length === 5);
    expect([older.seqs, log.pagesRead]).toEqual([[5n, 6n, 7n, 8n, 9n], 1]);
  });

  it("reads the archive once, then lives, where the last hits are not the subscriber's", async () => {
    const log = new MemoryHits();
    log.store({ filterId: "f2" }, ...drafts(3));
    const hub = await createHitHub(log);
    const live = collect(hub, { filterIds: ["f2"], after: 0n });
    await until("the stored one", () => live.seqs.length === 1);
    for (let i = 0; i < 20; i++) await turn();
    hub.publish(log.store({ filterId: "f2" }));
    await until("the live one", () => live.seqs.length === 2);
    expect([live.seqs, log.pagesRead]).toEqual([[1n, 5n], 1]);
  });

  it("keeps what comes for a new subscriber while a render for those who left still runs", async () => {
    const log = new MemoryHits();
    log.store({});
    const hub = await createHitHub(log);
    const renders: (() => void)[] = [];
    const rendered: bigint[] = [];
    const render = async (hits: readonly DeliveredHit[]) => {
      rendered.push(...(await seqsOf(hits)));
      await new Promise<void>((resolve) => renders.push(resolve));
      return seqsOf(hits);
    };
    const connect = (after: bigint | null) => {
      const sink = new Collector();
      sink.stop = hub.subscribe({ filterIds: ["f1"], viewer: OWNER, after }, "same", render, sink);
      return sink;
    };
    const first = connect(null);
    const replaying = connect(0n); // keeps the group in being
    await until("the replay's render", () => renders.length === 1);
    hub.publish(log.store({}, {}));
    await until("the first one's render", () => renders.length === 2);
    first.stop();
    hub.publish(log.store({})); // for nobody who is live
    const second = connect(null);
    hub.publish(log.store({}));
    replaying.stop();
    for (const resolve of renders) resolve();
    await until("the second one's render", () => renders.length === 3);
    renders[2]!();
    await until("the hit", () => second.seqs.length === 1);
    expect([first.seqs, replaying.seqs, second.seqs, rendered]).toEqual([[], [], [5n], [1n, 2n, 3n, 5n]]);
  });

  it("ends who takes too little, with the cursor to go on from, and leaves the others alone", async () => {
    const log = new MemoryHits();
    const hub = await createHitHub(log);
    const slow = collect(hub, {}, 5);
    const quick = collect(hub);
    for (let i = 0; i < 12; i++) {
      hub.publish(log.store({}));
      await turn();
    }
    await until("the quick one", () => quick.seqs.length === 12);
    expect(slow.error).toMatchObject({ code: "SLOW_CONSUMER" });
    const cursor = hub.cursors.seq(String((slow.error as TocsinError).details.cursor));
    slow.stop();
    const resumed = collect(hub, { after: cursor });
    await until("the rest", () => slow.seqs.length + resumed.seqs.length >= 12);
    expect([...slow.seqs, ...resumed.seqs]).toEqual(log.stored.map((hit) => hit.seq));
  });

  it("names the last hit handed over, not a later one that the subscriber may not see", async () => {
    const log = new MemoryHits();
    log.store({}, { programid: 2 }, { filterId: "f2" });
    const hub = await createHitHub(log);
    const slow = collect(hub, { viewer: ANYBODY, after: 0n }, 1);
    await until("the replay", () => slow.seqs.length === 1);
    hub.publish(log.store({}));
    await until("the end", () => slow.error !== null);
    expect(slow.error).toMatchObject({ code: "SLOW_CONSUMER", details: { cursor: hub.cursors.text(1n) } });
  });

  it("ends everybody of a query that is slower than the stream", async () => {
    const log = new MemoryHits();
    const hub = await createHitHub({ ...log, limits: { maxWaitingHits: 3 } });
    const stuck = new Collector();
    hub.subscribe(
      { filterIds: ["f1"], viewer: OWNER, after: null },
      "stuck",
      () => new Promise<never>(() => {}),
      stuck,
    );
    hub.publish(log.store(...drafts(4)));
    await until("the end", () => stuck.error !== null);
    expect(stuck.error).toMatchObject({ code: "SLOW_CONSUMER" });
  });

  it("bounds the number of subscriptions and counts those that ended", async () => {
    const log = new MemoryHits();
    const hub = await createHitHub({ ...log, limits: { maxSubscriptions: 2 } });
    const [first] = [collect(hub), collect(hub)];
    expect(() => collect(hub)).toThrow(expect.objectContaining({ code: "TOO_MANY_SUBSCRIPTIONS" }));
    first.stop();
    first.stop();
    expect(hub.subscriptions).toBe(1);
    collect(hub);
  });

  it("ends an iterator that nobody reads, behind what it has taken", async () => {
    const log = new MemoryHits();
    const hub = await createHitHub(log);
    const stream = await hub.listen({ filterIds: ["f1"], viewer: OWNER, after: null });
    const hits = stream[Symbol.asyncIterator]();
    const first = hits.next();
    hub.publish(log.store({}));
    await first;
    for (let i = 0; i < 11; i++) {
      hub.publish(log.store(...drafts(1_000)));
      await turn();
    }
    await until("its end", () => hub.subscriptions === 0);
    let last = 1n;
    const readOn = async () => {
      for (let hit = await hits.next(); !hit.done; hit = await hits.next()) {
        expect(hit.value.seq).toBe(last + 1n);
        last = hit.value.seq;
      }
    };
    const error = await readOn().catch((thrown: TocsinError) => thrown);
    expect(error).toMatchObject({ code: "SLOW_CONSUMER", details: { cursor: hub.cursors.text(last) } });
    expect(last).toBeGreaterThan(10_000n);
  });

  it("refuses a cursor ahead of the archive, not one ahead of what is published", async () => {
    const log = new MemoryHits();
    const hub = await createHitHub(log);
    const [hit] = log.store({});
    const request = { filterIds: ["f1"], viewer: OWNER };
    await expect(hub.listen({ ...request, after: 2n })).rejects.toMatchObject({ code: "BAD_CURSOR" });
    const stream = (await hub.listen({ ...request, after: 1n }))[Symbol.asyncIterator]();
    const next = stream.next();
    hub.publish([hit!]);
    await until("the first", () => hub.last === 1n);
    hub.publish(log.store({}));
    expect((await next).value?.seq).toBe(2n);
    await stream.return?.();
    expect(hub.subscriptions).toBe(0);
  });
});

/** What may happen, in any order. */
const hit = fc.record({ filterId: fc.constantFrom("f1", "f2", "f3"), programid: fc.constantFrom(1, 1, 2) });
const step = fc.oneof(
  fc.record({ do: fc.constant("store" as const), hits: fc.array(hit, { maxLength: 6 }), lost: fc.boolean() }),
  fc.record({
    do: fc.constant("subscribe" as const),
    filterIds: fc.subarray(["f1", "f2", "f3"], { minLength: 1 }),
    owner: fc.boolean(),
    back: fc.option(fc.nat(30)),
  }),
  fc.record({ do: fc.constant("reconnect" as const), which: fc.nat() }),
  fc.record({ do: fc.constant("wait" as const), turns: fc.nat(4) }),
);

interface Subscriber {
  readonly request: HitRequest;
  readonly start: bigint;
  readonly seen: bigint[];
  sink: Collector;
}

describe("hub, in any order of events", () => {
  it("gives every subscriber each of its hits once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.nat(3)),
        fc.nat(8),
        async (steps, page, pauses, recent) => {
          const pause = async () => {
            for (let turns: number = pauses.next().value ?? 0; turns > 0; turns--) await turn();
          };
          const log = new MemoryHits(pause);
          const hub = await createHitHub({ ...log, limits: { page, recent } });
          const subscribers: Subscriber[] = [];
          const connect = (request: HitRequest) => {
            const sink = new Collector();
            const render = async (hits: readonly DeliveredHit[]) => {
              await pause();
              return hits.map(({ seq }) => seq);
            };
            sink.stop = hub.subscribe(request, `${request.viewer.scope} ${request.filterIds}`, render, sink);
            return sink;
          };
          for (const event of steps) {
            if (event.do === "wait") {
              for (let i = 0; i < event.turns; i++) await turn();
            } else if (event.do === "store") {
              const hits = log.store(...event.hits);
              if (!event.lost) hub.publish(hits);
            } else if (event.do === "subscribe") {
              const after = event.back === null ? null : hub.last - BigInt(event.back);
              const request = {
                filterIds: event.filterIds,
                viewer: event.owner ? OWNER : ANYBODY,
                after: after !== null && after < 0n ? 0n : after,
              };
              const start = request.after ?? hub.last;
              subscribers.push({ request, start, seen: [], sink: connect(request) });
            } else if (subscribers.length > 0) {
              const subscriber = subscribers[event.which % subscribers.length]!;
              subscriber.sink.stop();
              subscriber.seen.push(...subscriber.sink.seqs);
              const after = subscriber.seen.at(-1) ?? subscriber.start;
              subscriber.sink = connect({ ...subscriber.request, after });
            }
          }
          hub.publish(log.store({ filterId: "f1" }, { filterId: "f2" }, { filterId: "f3" }));
          const end = log.stored.length;
          for (const { request, start, seen, sink } of subscribers) {
            const due = log.stored
              .filter((one) => request.filterIds.includes(one.filterId) && one.seq > start)
              .filter((one) => maySee(request.viewer, one.survey, one.programid))
              .map((one) => one.seq);
            // Everybody gets one of the last three, so whoever has its last has had its chance for all.
            await until("the last hit", () => sink.seqs.at(-1) === due.at(-1) && hub.last === BigInt(end));
            expect([...seen, ...sink.seqs]).toEqual(due);
          }
          for (const { sink } of subscribers) sink.stop();
          expect(hub.subscriptions).toBe(0);
        },
      ),
      { numRuns: 400 },
    );
  });
});
