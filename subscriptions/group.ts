// Subscribers that get the same: each hit is rendered once for all of them. The hub keeps the groups.
import { setMaxListeners } from "node:events";
import { TocsinError } from "../domain/errors.js";
import type { DeliveredHit } from "../domain/filter.js";
import { maySee } from "../domain/viewer.js";
import { withinRequest } from "../stores/request.js";
import type { HitCursors } from "./cursor.js";
import { type HitLog, withAlerts } from "./log.js";
import type { HitRequest, HubLimits, Render, Sink } from "./request.js";

/** Hits handed over before the sink's bound, or in a replay its room, is looked at again. */
const HANDED_AT_ONCE = 20;

interface Page<T> {
  readonly hits: readonly DeliveredHit[];
  readonly items: readonly T[];
  /** The replay has the group's hits up to here when it has these. */
  readonly upTo: bigint;
}

export interface Member<T> {
  readonly sink: Sink<T>;
  /** Every hit of the group up to this seq has been handed over, once; none above it has. */
  position: bigint;
  /** The last hit handed over, else where it began: `position` may be the seq of a hit that it may not know of. */
  last: bigint;
  active: boolean;
}

/**
 * Why nothing is lost or doubled: a member has had exactly the group's hits up to `member.position`. It becomes live at a
 * moment when that is the log's last seq, so all it lacks is still to come through push(); and of what the group hands
 * over, in order, each member takes only what is above its own position.
 */
export class Group<T> {
  /** Live members: they get what the group renders. */
  readonly #members = new Set<Member<T>>();
  /** Live members and those still replaying. */
  size = 0;
  /** Hits not yet handed over, oldest first. */
  #waiting: DeliveredHit[] = [];
  #rendering = false;
  /** Pages being read: subscribers that come back together replay together. */
  readonly #pages = new Map<bigint, Promise<Page<T>>>();
  /** Aborted when the last member has left: nobody waits for what is read and rendered then. */
  readonly #gone = new AbortController();

  constructor(
    readonly request: Omit<HitRequest, "after">,
    readonly render: Render<T>,
    readonly log: HitLog,
    readonly limits: HubLimits,
    readonly cursors: HitCursors,
  ) {
    setMaxListeners(0, this.#gone.signal); // one for each page being read or rendered
  }

  /** A hit of one of the group's filters, straight from the log. */
  push(hit: DeliveredHit): void {
    if (this.#members.size === 0 || !this.#wants(hit)) return;
    this.#waiting.push(hit);
    if (this.#waiting.length > this.limits.maxWaitingHits) {
      for (const member of this.#members) this.#fail(member, this.#tooSlow(member));
    } else if (!this.#rendering) {
      void this.#renderAll();
    }
  }

  /** Replays from the archive what the member lacks, then makes it live. Resolves when it is live or over. */
  async join(member: Member<T>): Promise<void> {
    try {
      while (member.active && member.position < this.log.last) await this.#replayPage(member);
      // No await since that look at the log.
      if (member.active) this.#members.add(member);
    } catch (error) {
      this.#fail(member, error);
    }
  }

  leave(member: Member<T>): void {
    member.active = false;
    this.#members.delete(member);
    if (this.#members.size === 0) this.#waiting = [];
    if (this.size === 0) this.#gone.abort("every subscriber has left");
  }

  async #replayPage(member: Member<T>): Promise<void> {
    const from = member.position;
    let reading = this.#pages.get(from);
    if (reading === undefined) {
      reading = this.#readPage(from).finally(() => this.#pages.delete(from));
      this.#pages.set(from, reading);
    }
    const page = await reading;
    for (let at = 0; at < page.hits.length && member.active; at += HANDED_AT_ONCE) {
      await member.sink.room();
      this.#hand(member, page.items, page.hits, at);
    }
    if (member.active) member.position = page.upTo;
  }

  async #readPage(after: bigint): Promise<Page<T>> {
    const { last } = this.log;
    const { page } = this.limits;
    const recent = this.log.recent(after)?.filter((hit) => this.#wants(hit));
    const hits =
      recent?.slice(0, page) ?? (await withinRequest(this.#gone.signal, () => this.#readArchive(after, last)));
    const items = await this.render(hits, this.#gone.signal);
    return { hits, items, upTo: hits.length < page ? last : hits.at(-1)!.seq };
  }

  async #readArchive(after: bigint, upTo: bigint): Promise<DeliveredHit[]> {
    const { viewer, filterIds } = this.request;
    const { stores } = this.log;
    const hits = await stores.hits.page(viewer, filterIds, this.limits.page, after, upTo);
    return withAlerts(stores, viewer, hits);
  }

  #wants({ filterId, survey, programid }: DeliveredHit): boolean {
    const { viewer, filterIds } = this.request;
    return filterIds.includes(filterId) && maySee(viewer, survey, programid);
  }

  async #renderAll(): Promise<void> {
    this.#rendering = true;
    // Hits of one batch arrive one by one in the same turn: let them all come.
    await null;
    while (this.#waiting.length > 0) {
      const hits = this.#waiting.slice(0, this.limits.page);
      const upTo = hits.at(-1)!.seq;
      try {
        const items = await this.render(hits, this.#gone.signal);
        for (const member of this.#members) {
          for (let at = 0; at < hits.length; at += HANDED_AT_ONCE) this.#hand(member, items, hits, at);
        }
      } catch (error) {
        for (const member of this.#members) this.#fail(member, error);
      }
      // By seq: if the last member left meanwhile, what waits now has come since.
      this.#waiting = this.#waiting.filter((hit) => hit.seq > upTo);
    }
    this.#rendering = false;
  }

  /** The next few from `at` on, those that the member has not had. */
  #hand(member: Member<T>, items: readonly T[], hits: readonly DeliveredHit[], at: number): void {
    const end = Math.min(at + HANDED_AT_ONCE, hits.length);
    let first = at;
    while (first < end && hits[first]!.seq <= member.position) first += 1;
    if (!member.active || first === end) return;
    if (!member.sink.take(items.slice(first, end))) this.#fail(member, this.#tooSlow(member));
    else member.position = member.last = hits[end - 1]!.seq;
  }

  #fail(member: Member<T>, error: unknown): void {
    if (!member.active) return;
    this.leave(member);
    member.sink.fail(error);
  }

  #tooSlow(member: Member<T>): TocsinError {
    const cursor = this.cursors.text(member.last);
    return new TocsinError("SLOW_CONSUMER", "Hits come faster than this subscriber takes them.", {
      details: { cursor },
    });
  }
}
