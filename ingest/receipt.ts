// What became of every delivery of a take, for its receipts. Called by ingest/pipeline.ts.
import { LRUCache } from "lru-cache";
import type { AlertBatch } from "../domain/alert.js";
import { nightName, nightNumber } from "../domain/night.js";
import type { DeadLetter, Origin, Packet } from "../domain/packet.js";
import type { BatchTallies, CountedLetter, SourcePart, Tally } from "../domain/receipt.js";
import type { Survey } from "../domain/survey.js";
import { jdFromEpochMs } from "../domain/time.js";
import type { Deduped } from "./dedupe.js";
import { numberColumn } from "./rows.js";
import { surveyModule } from "./surveys/index.js";

/** A survey's packets of a take, and what deduplication made of them. */
export interface Outcome {
  readonly whole: AlertBatch;
  readonly deduped: Deduped;
}

/** A survey and a night of a source, by which its dead letters are told. */
interface Sibling {
  readonly survey: Survey;
  readonly night: string;
}

type Sums = { -readonly [name in keyof Tally]: Tally[name] };

const SOURCES_REMEMBERED = 1_000;

/** Members of an archive count as the archive. */
function partOf({ source, partition }: Origin): SourcePart {
  if (partition !== undefined) return { source, partition };
  const end = source.indexOf("!");
  return { source: end < 0 ? source : source.slice(0, end), partition: null };
}

const offsetHoursOf = (survey: Survey): number => surveyModule(survey).description.nightOffsetHours;

/** One for all takes of a pipeline: it remembers what its sources last brought. */
export class Receipts {
  readonly #siblings = new LRUCache<string, Sibling>({ max: SOURCES_REMEMBERED });

  /**
   * The tallies of each outcome, in their order; those of the last one (or the only ones, where there is none) also tell
   * of the dead letters, the offsets and the replays. `letters` are all dead letters of the take, `received` and
   * `sourceLetters` what came in. What came and has no outcome is received by nobody's survey, and does not add up.
   */
  of(
    received: readonly Packet[],
    sourceLetters: readonly DeadLetter[],
    outcomes: readonly Outcome[],
    letters: readonly DeadLetter[],
    at: number,
  ): BatchTallies[] {
    const failed = new Set(letters.map(({ replayOf }) => replayOf));
    const sums = outcomes.map((outcome) => this.#tallied(outcome, failed));
    const last = sums.at(-1) ?? new TallySheet();
    if (sums.length === 0) sums.push(last);
    const counted = letters.filter(({ replayOf }) => replayOf === undefined).map((letter) => this.#counted(letter, at));
    for (const { survey, night, part } of counted) last.row(survey, night, part).received += 1;
    for (const missing of missingOf(received, sourceLetters, sums)) {
      last.row(null, nightName(nightNumber(jdFromEpochMs(at), 0)), missing.part).received += missing.count;
    }
    const deliveries = [...received, ...sourceLetters].filter(({ replayOf }) => replayOf === undefined);
    const replayed = new Set(received.flatMap(({ replayOf }) => (replayOf === undefined ? [] : [replayOf])));
    return sums.map((sheet, n) => {
      if (n < sums.length - 1) return { tallies: sheet.rows(), letters: [], ranges: [], replayed: [] };
      return {
        tallies: sheet.rows(),
        letters: counted,
        ranges: rangesOf(deliveries.map(({ origin }) => origin)),
        replayed: [...replayed].filter((id) => !failed.has(id)),
      };
    });
  }

  #tallied({ whole, deduped }: Outcome, failed: ReadonlySet<bigint | undefined>): TallySheet {
    const sheet = new TallySheet();
    const offsetHours = offsetHoursOf(whole.survey);
    const count = (batch: AlertBatch, rows: Iterable<number>, outcome: "stored" | "duplicates") => {
      const jd = numberColumn(batch.alerts, "jd").values;
      for (const row of rows) {
        const { origin, replayOf } = batch.packets[row]!;
        // A letter that stays has been counted, and so have those of its packets that were taken in with others.
        if (outcome === "duplicates" && replayOf !== undefined && failed.has(replayOf)) continue;
        const sums = sheet.at(whole.survey, nightNumber(jd[row]!, offsetHours), origin);
        sums.received += 1;
        sums[outcome] += 1;
        if (replayOf !== undefined) sheet.replayed(origin);
      }
    };
    count(deduped.batch, deduped.batch.packets.keys(), "stored");
    count(whole, deduped.duplicateRows, "duplicates");
    for (const { source, night } of sheet.rows()) this.#siblings.set(source, { survey: whole.survey, night });
    return sheet;
  }

  #counted(letter: DeadLetter, at: number): CountedLetter {
    const part = partOf(letter.origin);
    const sibling = this.#siblings.get(part.source);
    if (sibling !== undefined && (letter.survey === null || letter.survey === sibling.survey)) {
      return { letter, part, ...sibling };
    }
    const offsetHours = letter.survey === null ? 0 : offsetHoursOf(letter.survey);
    return { letter, part, survey: letter.survey, night: nightName(nightNumber(jdFromEpochMs(at), offsetHours)) };
  }
}

/** The sums of one batch by survey, night and source. */
class TallySheet {
  readonly #rows = new Map<string, Sums>();
  /** Packets that were no deliveries, by source. */
  readonly #replayed = new Map<string, number>();
  #last: { origin: Origin; day: number; sums: Sums } | null = null;

  /** Packets of one source and night follow each other: most are counted without a look. */
  at(survey: Survey, day: number, origin: Origin): Sums {
    const last = this.#last;
    if (last?.day === day && last.origin.source === origin.source && last.origin.partition === origin.partition) {
      return last.sums;
    }
    const sums = this.row(survey, nightName(day), partOf(origin));
    this.#last = { origin, day, sums };
    return sums;
  }

  row(survey: Survey | null, night: string, part: SourcePart): Sums {
    const key = `${survey} ${night} ${keyOf(part)}`;
    let sums = this.#rows.get(key);
    if (sums === undefined) {
      sums = { survey, night, ...part, received: 0, stored: 0, duplicates: 0 };
      this.#rows.set(key, sums);
    }
    return sums;
  }

  replayed(origin: Origin): void {
    const key = keyOf(partOf(origin));
    this.#replayed.set(key, (this.#replayed.get(key) ?? 0) + 1);
  }

  rows(): Tally[] {
    return [...this.#rows.values()];
  }

  /** Deliveries by source. */
  *deliveries(): Generator<[string, number]> {
    for (const row of this.#rows.values()) yield [keyOf(row), row.received];
    for (const [key, count] of this.#replayed) yield [key, -count];
  }
}

const keyOf = ({ source, partition }: SourcePart): string => `${partition} ${source}`;

/** What came in, by source, less what has an outcome. */
function missingOf(packets: readonly Packet[], letters: readonly DeadLetter[], sheets: readonly TallySheet[]) {
  const left = new Map<string, { part: SourcePart; count: number }>();
  for (const { origin, replayOf } of [...packets, ...letters]) {
    if (replayOf !== undefined) continue;
    const part = partOf(origin);
    const found = left.get(keyOf(part));
    if (found === undefined) left.set(keyOf(part), { part, count: 1 });
    else found.count += 1;
  }
  for (const sheet of sheets) {
    for (const [key, count] of sheet.deliveries()) {
      const found = left.get(key);
      if (found !== undefined) found.count -= count;
    }
  }
  return [...left.values()].filter(({ count }) => count > 0);
}

/** Offsets by partition as ranges without holes. Several packets may have come in one message. */
function rangesOf(origins: readonly Origin[]): BatchTallies["ranges"] {
  const messages = origins.flatMap(({ source, partition, offset, since }) =>
    partition === undefined || offset === undefined
      ? []
      : [{ source, partition, first: since ?? offset, last: offset }],
  );
  messages.sort((a, b) => compared(a.source, b.source) || a.partition - b.partition || compared(a.first, b.first));
  const ranges: (typeof messages)[number][] = [];
  for (const message of messages) {
    const open = ranges.at(-1);
    const goesOn =
      open?.source === message.source && open.partition === message.partition && message.first <= open.last + 1n;
    if (!goesOn) ranges.push({ ...message });
    else if (message.last > open.last) open.last = message.last;
  }
  return ranges;
}

const compared = <T extends string | bigint>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
