// Which points an alert knows, and in which telling: tellings of the archive and of the batch itself, put together. Called
// by history.ts. Typed arrays throughout: a batch has some 100,000 tellings.
import type { AlertBatch } from "../../domain/alert.js";
import type { Block, Column } from "../../domain/columns.js";
import { pointNumbers, textNumbers } from "../../domain/pointnumbers.js";

/** Rows of one kind's points, alert after alert: of alert i those from ends[i - 1] up to ends[i], by jd, then pointId. */
export interface PointRows {
  readonly rows: Int32Array;
  readonly ends: Uint32Array;
}

export interface PointsAsTold {
  /** For kinds 1, 2, 3. Rows count the archive's first, then the batch's photometry. */
  readonly lists: readonly PointRows[];
  /** Number of the point that each row tells of. */
  readonly point: Int32Array;
  readonly pointCount: number;
}

/**
 * For each alert the points with jd at or before its own, each as the latest packet up to the alert, by (jd, candid), told
 * it, of those whose rights (then) are public or the alert's own.
 */
export function pointsAsTold(batch: AlertBatch, archived: Block, publicProgramids: readonly number[]): PointsAsTold {
  const told = tellingsOf(batch, archived);
  const { numbers: point, count: pointCount } = pointNumbers(told.object, told.kind, told.pointId);
  const rowsOf = groups(told.object, told.objects);
  const alertJd = batch.alerts.columns.get("jd")!.values as Float64Array;
  const alertCandid = batch.alerts.columns.get("candid")!.values as BigInt64Array;
  const alertRights = batch.alerts.columns.get("programid")!.values as Int32Array;
  const isPublic = new Set(publicProgramids);

  const best = new Int32Array(pointCount);
  const seenBy = new Int32Array(pointCount).fill(-1);
  const lists = [1, 2, 3].map(() => new GrowingRows(batch.alerts.rows));
  const order = byTime(told.jd, told.pointId);

  for (let alert = 0; alert < batch.alerts.rows; alert++) {
    const now = alertJd[alert]!;
    const own = alertRights[alert]!;
    const found: number[] = [];
    const [from, to] = rowsOf.range(told.alertObject[alert]!);
    for (let at = from; at < to; at++) {
      const row = rowsOf.rows[at]!;
      if (!told.isToldBy(row, now, alertCandid, alert)) continue;
      const number = point[row]!;
      if (seenBy[number] !== alert) {
        seenBy[number] = alert;
        best[number] = row;
        found.push(number);
      } else if (!told.isEarlier(row, best[number]!, now, alertCandid, alert)) best[number] = row;
    }
    for (const number of found) {
      const row = best[number]!;
      if (told.jd[row]! > now) continue;
      const rights = told.programid[row]!;
      if (rights === own || isPublic.has(rights)) lists[told.kind[row]! - 1]?.push(row);
    }
    for (const list of lists) list.endAlert(order);
  }
  return { lists: lists.map((list) => list.finish()), point, pointCount };
}

/** Rows of tellings side by side: the archive's, then the batch's own. */
class Tellings {
  constructor(
    readonly objects: number,
    readonly alertObject: Int32Array,
    readonly object: Int32Array,
    readonly kind: Uint8Array,
    readonly pointId: BigInt64Array,
    readonly jd: Float64Array,
    /** 0 where it is missing: nobody's. */
    readonly programid: Int32Array,
    readonly firstJd: Float64Array,
    readonly lastJd: Float64Array,
    readonly firstCandid: BigInt64Array,
    readonly lastCandid: BigInt64Array,
  ) {}

  /** Whether the row's first packet is the alert's or one before. */
  isToldBy(row: number, jd: number, candids: BigInt64Array, alert: number): boolean {
    const first = this.firstJd[row]!;
    return first < jd || (first === jd && this.firstCandid[row]! <= candids[alert]!);
  }

  /** Whether a was told before b, of all that packets up to the alert told. Of equal ones none is. */
  isEarlier(a: number, b: number, jd: number, candids: BigInt64Array, alert: number): boolean {
    const lateA = this.#isLate(a, jd, candids, alert);
    const lateB = this.#isLate(b, jd, candids, alert);
    const jdA = lateA ? this.firstJd[a]! : this.lastJd[a]!;
    const jdB = lateB ? this.firstJd[b]! : this.lastJd[b]!;
    if (jdA !== jdB) return jdA < jdB;
    const candidA = lateA ? this.firstCandid[a]! : this.lastCandid[a]!;
    const candidB = lateB ? this.firstCandid[b]! : this.lastCandid[b]!;
    if (candidA !== candidB) return candidA < candidB;
    if (this.firstJd[a] !== this.firstJd[b]) return this.firstJd[a]! < this.firstJd[b]!;
    return this.firstCandid[a]! < this.firstCandid[b]!;
  }

  /** Told again after the alert: when that was is not known, so that it counts as told the first time only. */
  #isLate(row: number, jd: number, candids: BigInt64Array, alert: number): boolean {
    const last = this.lastJd[row]!;
    return last > jd || (last === jd && this.lastCandid[row]! > candids[alert]!);
  }
}

function tellingsOf({ alerts, photometry }: AlertBatch, archived: Block): Tellings {
  const texts = (block: Block) => (block.rows === 0 ? [] : (column(block, "objectId").values as readonly string[]));
  const alertIds = texts(alerts);
  const ids = textNumbers([...alertIds, ...texts(archived), ...texts(photometry)]);
  const joined = <T extends Joinable>(Class: new (length: number) => T, name: string, own = name): T => {
    const all = new Class(archived.rows + photometry.rows);
    if (archived.rows > 0) all.set(column(archived, name).values as never);
    if (photometry.rows > 0) all.set(column(photometry, own).values as never, archived.rows);
    return all;
  };
  const programid = joined(Int32Array, "programid");
  [archived, photometry].forEach((block, n) => {
    const nulls = block.columns.get("programid")?.nulls;
    const base = n * archived.rows;
    for (let row = 0; nulls && row < block.rows; row++) if (nulls[row]) programid[base + row] = 0;
  });
  return new Tellings(
    ids.distinct.length,
    ids.numbers.subarray(0, alertIds.length),
    ids.numbers.subarray(alertIds.length),
    joined(Uint8Array, "kind"),
    joined(BigInt64Array, "pointId"),
    joined(Float64Array, "jd"),
    programid,
    joined(Float64Array, "firstJd", "toldByJd"),
    joined(Float64Array, "lastJd", "toldByJd"),
    joined(BigInt64Array, "firstCandid", "toldByCandid"),
    joined(BigInt64Array, "lastCandid", "toldByCandid"),
  );
}

type Joinable = Uint8Array | Int32Array | Float64Array | BigInt64Array;

function column(block: Block, name: string): Column {
  const found = block.columns.get(name);
  if (found === undefined) throw new Error(`Photometry lacks the column ${name}.`);
  return found;
}

/** Rows by their object, in their order. */
function groups(object: Int32Array, objects: number) {
  const starts = new Uint32Array(objects + 1);
  for (let row = 0; row < object.length; row++) starts[object[row]! + 1]!++;
  for (let n = 0; n < objects; n++) starts[n + 1]! += starts[n]!;
  const next = starts.slice();
  const rows = new Int32Array(object.length);
  for (let row = 0; row < object.length; row++) rows[next[object[row]!]!++] = row;
  return { rows, range: (n: number): [number, number] => [starts[n]!, starts[n + 1]!] };
}

type Order = (a: number, b: number) => number;
const byTime =
  (jd: Float64Array, pointId: BigInt64Array): Order =>
  (a, b) =>
    jd[a]! - jd[b]! || (pointId[a]! < pointId[b]! ? -1 : pointId[a] === pointId[b] ? 0 : 1);

/** Packets tell their points nearly in order: up to so many are put in order one by one. */
const FEW = 200;

class GrowingRows {
  #rows = new Int32Array(1024);
  #length = 0;
  #start = 0;
  #alert = 0;
  readonly #ends: Uint32Array;

  constructor(alerts: number) {
    this.#ends = new Uint32Array(alerts);
  }

  push(row: number): void {
    if (this.#length === this.#rows.length) {
      const grown = new Int32Array(this.#rows.length * 2);
      grown.set(this.#rows);
      this.#rows = grown;
    }
    this.#rows[this.#length++] = row;
  }

  endAlert(order: Order): void {
    const rows = this.#rows.subarray(this.#start, this.#length);
    if (rows.length > FEW) rows.sort(order);
    else {
      for (let i = 1; i < rows.length; i++) {
        const row = rows[i]!;
        let at = i;
        for (; at > 0 && order(rows[at - 1]!, row) > 0; at--) rows[at] = rows[at - 1]!;
        rows[at] = row;
      }
    }
    this.#ends[this.#alert++] = this.#length;
    this.#start = this.#length;
  }

  finish(): PointRows {
    return { rows: this.#rows.subarray(0, this.#length), ends: this.#ends };
  }
}
