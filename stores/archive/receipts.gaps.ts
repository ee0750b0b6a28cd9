// Offsets of partitions that no batch had, between the first and the last of a night. Called by receipts.ts.
import { MAX_GAPS, type OffsetRange, type SourceReceipt } from "../../domain/receipt.js";
import { bigints, blockOf, eachRow, integers, numbers, strings, texts } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

const TIMEOUT_MS = 20_000;

/**
 * The sources with the offsets and gaps of those that are partitions. A partition may hold several nights and surveys:
 * what a batch had counts, whatever it was.
 */
export async function gapsIn(
  client: ArchiveClient,
  survey: string,
  night: string,
  sources: readonly SourceReceipt[],
): Promise<SourceReceipt[]> {
  const asked = sources.filter(({ partition }) => partition !== null);
  if (asked.length === 0) return [...sources];
  const block = await client.query(
    `WITH ours AS (
      SELECT source, partition, batch FROM receipts WHERE survey = {survey:String} AND night = {night:String}
      UNION ALL
      SELECT source, partition, batch FROM letter_receipts WHERE survey = {survey:String} AND night = {night:String}
    ),
    had AS (
      SELECT source, partition, first, last, batch FROM offset_ranges
      WHERE (source, partition) IN (SELECT source, partition FROM asked)
        AND batch IN (SELECT batch FROM batches WHERE storedAt > 0)
    ),
    spans AS (
      SELECT source, partition, min(first) AS begin, max(last) AS end FROM had
      WHERE (source, partition, batch) IN (SELECT source, partition, batch FROM ours) GROUP BY source, partition
    ),
    steps AS (
      SELECT source, partition, begin, end, first,
        max(toNullable(last)) OVER (PARTITION BY source, partition ORDER BY first, last
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
      FROM had INNER JOIN spans USING (source, partition)
      WHERE last >= begin AND first <= end
    )
    SELECT source, partition, any(begin) AS begin, any(end) AS end,
      groupArrayIf(${MAX_GAPS})(assumeNotNull(before) + 1, isGap) AS gapFirst,
      groupArrayIf(${MAX_GAPS})(first - 1, isGap) AS gapLast
    FROM (
      SELECT source, partition, begin, end, first, before, isNotNull(before) AND first > before + 1 AS isGap
      FROM steps ORDER BY source, partition, first
    )
    GROUP BY source, partition`,
    { survey, night },
    {
      timeoutMs: TIMEOUT_MS,
      external: [
        {
          name: "asked",
          block: blockOf(asked.length, {
            source: texts(asked.map(({ source }) => source)),
            partition: integers(Int32Array.from(asked, ({ partition }) => partition!)),
          }),
        },
      ],
    },
  );
  const [source, partition] = [strings(block, "source"), numbers(block, "partition")];
  const [begin, end] = [bigints(block, "begin"), bigints(block, "end")];
  const lists = [block.lists?.get("gapFirst"), block.lists?.get("gapLast")] as const;
  const found = new Map<string, Pick<SourceReceipt, "offsets" | "gaps">>(
    eachRow(block, (row) => {
      const gaps: OffsetRange[] = [];
      const [firsts, lasts] = lists;
      for (let k = row === 0 ? 0 : firsts!.ends[row - 1]!; k < firsts!.ends[row]!; k += 1) {
        gaps.push({ first: firsts!.items.values[k] as bigint, last: lasts!.items.values[k] as bigint });
      }
      return [`${partition[row]} ${source[row]}`, { offsets: { first: begin[row]!, last: end[row]! }, gaps }] as const;
    }),
  );
  return sources.map((one) => ({ ...one, ...found.get(`${one.partition} ${one.source}`) }));
}
