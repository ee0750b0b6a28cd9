// Which messages of a partition are stored, and how far its bookmark may move. Called by source.ts.

/** A message that was handed on; its offset is done once all its items are stored. */
export interface Delivery {
  readonly of: PartitionOffsets;
  readonly offset: bigint;
  left: number;
}

/**
 * Messages of one partition between "handed on" and "stored". They may be stored in any order; the bookmark only
 * passes what is stored without a gap.
 */
export class PartitionOffsets {
  /** Offsets in flight; a Map keeps the order in which they were handed on, which is that of the partition. */
  readonly #inFlight = new Map<bigint, Delivery>();
  #next: bigint;
  /** What the broker has confirmed. */
  confirmed: bigint;
  /** Reading never goes back behind this: the bookmark before a join of the group, afterwards what was read since. */
  #position: bigint;
  /** Whether anything was read since the group was joined. */
  #isRead = true;

  constructor(
    readonly topic: string,
    readonly partition: number,
    from: bigint,
  ) {
    this.#next = from;
    this.confirmed = from;
    this.#position = from;
  }

  /** The group was joined anew: reading goes on at the bookmark, and what is in flight comes again. */
  rejoin(): void {
    this.#position = this.confirmed;
    this.#isRead = false;
  }

  /** Whether a batch that begins here can be of the same log; else the topic was deleted and made anew. */
  goesOnAt(first: bigint): boolean {
    return first >= this.#position;
  }

  /** A batch begins here: the first one after a join tells how far others have moved the bookmark meanwhile. */
  readAt(first: bigint): void {
    if (!this.#isRead && first > this.confirmed) this.confirmed = first;
    this.#isRead = true;
  }

  /**
   * The bookmark, where it is ahead of what the broker has; else null. After a join nothing is known of that before the
   * first batch: others may have gone far beyond, and what we had in flight must not take the bookmark back.
   */
  get toCommit(): bigint | null {
    const { bookmark } = this;
    return this.#isRead && bookmark > this.confirmed ? bookmark : null;
  }

  /** A message was looked at, handed on or not. False where it was handed on before. */
  lookAt(offset: bigint): boolean {
    this.#position = offset;
    return offset >= this.#next;
  }

  /** The offset after the last one handed on: where reading goes on. */
  get next(): bigint {
    return this.#next;
  }

  /** The first offset that is not stored: where another reader would have to begin. */
  get bookmark(): bigint {
    for (const offset of this.#inFlight.keys()) return offset;
    return this.#next;
  }

  /** A message of `items` items, at least one, goes on its way. Its offset must not be below `next`. */
  handOn(offset: bigint, items: number): Delivery {
    const delivery = { of: this, offset, left: items };
    this.#inFlight.set(offset, delivery);
    this.#next = offset + 1n;
    return delivery;
  }

  /** Nothing below `offset` is still to come: what lies between was no message (control records, aborted ones). */
  passTo(offset: bigint): void {
    if (offset > this.#next) this.#next = offset;
  }

  /** One item of a delivery is stored. Telling it of more items than there are changes nothing. */
  stored(delivery: Delivery): void {
    delivery.left -= 1;
    if (delivery.left === 0) this.#inFlight.delete(delivery.offset);
  }
}
