// A clock of events and stations where jobs wait for servers: the parts of the load model. Used by scale.model.ts.

interface Event {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/** Events in the order of their times; of one time in the order in which they were made. Seconds. */
export class Clock {
  now = 0;
  #made = 0;
  readonly #heap: Event[] = [];

  at(time: number, action: () => void): void {
    const heap = this.#heap;
    heap.push({ at: Math.max(time, this.now), order: this.#made++, action });
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!isBefore(heap[child]!, heap[parent]!)) break;
      [heap[child], heap[parent]] = [heap[parent]!, heap[child]!];
      child = parent;
    }
  }

  after(seconds: number, action: () => void): void {
    this.at(this.now + seconds, action);
  }

  /** Until nothing is left to happen, or until `end`. */
  run(end = Number.POSITIVE_INFINITY): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      this.now = next.at;
      next.action();
    }
    if (Number.isFinite(end)) this.now = end;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let parent = 0; ; ) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      let least = parent;
      if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
      if (right < heap.length && isBefore(heap[right]!, heap[least]!)) least = right;
      if (least === parent) return;
      [heap[parent], heap[least]] = [heap[least]!, heap[parent]!];
      parent = least;
    }
  }
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

interface Job {
  readonly seconds: number;
  readonly done: () => void;
}

/** Servers (cores) with two queues before them: who is first in `urgent`, then in the other. */
export class Station {
  /** Seconds of all servers at work. */
  busy = 0;
  #free: number;
  #isDown = false;
  readonly #urgent = new Queue<Job>();
  readonly #patient = new Queue<Job>();

  constructor(
    readonly clock: Clock,
    readonly servers: number,
  ) {
    this.#free = servers;
  }

  get waiting(): number {
    return this.#urgent.length + this.#patient.length;
  }

  /** `done` is called when the job has had its seconds on one server. */
  submit(seconds: number, done: () => void, isUrgent = true): void {
    (isUrgent ? this.#urgent : this.#patient).push({ seconds, done });
    this.#next();
  }

  /** Nothing new begins until up(); what is under way ends. */
  down(): void {
    this.#isDown = true;
  }

  up(): void {
    this.#isDown = false;
    this.#next();
  }

  #next(): void {
    while (!this.#isDown && this.#free > 0) {
      const job = this.#urgent.shift() ?? this.#patient.shift();
      if (job === undefined) return;
      this.#free -= 1;
      this.busy += job.seconds;
      this.clock.after(job.seconds, () => {
        this.#free += 1;
        job.done();
        this.#next();
      });
    }
  }
}

/** First in, first out, without moving all that wait. */
class Queue<T> {
  #items: T[] = [];
  #from = 0;

  get length(): number {
    return this.#items.length - this.#from;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#from++]!;
    if (this.#from > 1_000 && 2 * this.#from > this.#items.length) {
      this.#items = this.#items.slice(this.#from);
      this.#from = 0;
    }
    return item;
  }
}
