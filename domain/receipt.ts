// What became of everything that was received, by night and source. Written by ingest/receipt.ts with each batch, added up
// by stores/archive, shown by resolvers/receipt and cli/receipt.ts.
import type { DeadLetter } from "./packet.js";
import type { Survey } from "./survey.js";

/** Where deliveries come from: a topic's partition, or a file (an archive with all its members). */
export interface SourcePart {
  readonly source: string;
  /** Null for files. */
  readonly partition: number | null;
}

/** Deliveries of one source in one night. A night is YYYYMMDD; the survey is null where nobody can tell. */
export interface Tally extends SourcePart {
  readonly survey: Survey | null;
  readonly night: string;
  /** Packets and dead letters. */
  readonly received: number;
  readonly stored: number;
  readonly duplicates: number;
}

/** A dead letter in the night and survey of its source's other packets, else those of its reception. */
export interface CountedLetter {
  readonly letter: DeadLetter;
  readonly part: SourcePart;
  readonly survey: Survey | null;
  readonly night: string;
}

/** Offsets of a partition from `first` to `last`. */
export interface OffsetRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** What a batch tells of its deliveries. It counts once the batch is committed, and never otherwise. */
export interface BatchTallies {
  readonly tallies: readonly Tally[];
  readonly letters: readonly CountedLetter[];
  /** What was delivered of partitions, without holes. */
  readonly ranges: readonly (OffsetRange & { readonly source: string; readonly partition: number })[];
  /** Dead letters that were taken in after all. */
  readonly replayed: readonly bigint[];
}

/** Sums of what was delivered: received = stored + duplicates + deadLetters. */
export interface ReceiptSums {
  readonly received: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly deadLetters: number;
}

export interface SourceReceipt extends SourcePart, ReceiptSums {
  /** The first and last offset of this night in this partition; null for files. */
  readonly offsets: OffsetRange | null;
  /** Offsets between the two that no batch had, of this night or another; at most MAX_GAPS. */
  readonly gaps: readonly OffsetRange[];
}

export interface NightReceipt extends ReceiptSums {
  readonly survey: Survey;
  readonly night: string;
  readonly hits: number;
  /** Distinct alerts of the night in the archive's tables: what `stored` must be. */
  readonly archived: number;
  /** By source and partition; at most MAX_SOURCES of `sourceCount`. */
  readonly sources: readonly SourceReceipt[];
  readonly sourceCount: number;
  /** Deliveries of this night (UTC date of their reception) of which nobody can tell the survey. */
  readonly unattributed: readonly SourceReceipt[];
}

export const MAX_SOURCES = 1_000;
export const MAX_GAPS = 1_000;

export const adds = ({ received, stored, duplicates, deadLetters }: ReceiptSums): boolean =>
  received === stored + duplicates + deadLetters;

/** Whether the numbers of a night add up, with themselves and with the archive's tables. */
export const nightAdds = (receipt: NightReceipt): boolean =>
  adds(receipt) && receipt.unattributed.every(adds) && receipt.stored === receipt.archived;
