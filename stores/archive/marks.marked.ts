// MarkedStore on ClickHouse: the alerts that watch lists, areas and sky maps hold. Made by stores.ts.
import type { Block, ListColumn } from "../../domain/columns.js";
import type { Survey } from "../../domain/survey.js";
import type { MarkDifference, MarkedAlert, MarkedStore } from "../marks.store.js";
import { bigints, eachRow, numbers, repeated, strings, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

/** What a mark says of an alert. */
const HELD = "cityHash64(level, distanceMean, distanceSigma, names, separations, ras, decs)";
/** Rows of one difference, and those of the same time as the last of them. */
const LOOKED_AT = 10_000;

export class ArchiveMarked implements MarkedStore {
  constructor(private readonly client: ArchiveClient) {}

  async write(survey: Survey, batchId: bigint, rows: Block): Promise<void> {
    if (rows.rows === 0) return;
    const columns = new Map(rows.columns)
      .set("survey", repeated(rows.rows, survey))
      .set("batch", unsigned(new BigUint64Array(rows.rows).fill(batchId)));
    await this.client.insert("marks", { ...rows, columns });
  }

  async difference(content: string, other: string | null, survey: Survey, afterJd: number): Promise<MarkDifference> {
    const own = `survey = {survey:String} AND content IN {contents:Array(String)} AND jd > {afterJd:Float64}`;
    const asked = { survey, contents: [content, other ?? ""], afterJd };
    const end = await this.client.query(
      `SELECT jd FROM marks WHERE ${own} ORDER BY jd LIMIT 1 OFFSET {looked:UInt32}`,
      {
        ...asked,
        looked: LOOKED_AT,
      },
    );
    const upToJd = numbers(end, "jd")[0] ?? null;
    const block = await this.client.query(
      `SELECT any(objectId) AS id, jd, candid FROM (
        SELECT content, objectId, jd, candid, ${HELD} AS held FROM marks
        WHERE ${own} AND jd <= {upToJd:Float64}
        ORDER BY content, jd, candid LIMIT 1 BY content, jd, candid
      ) AS held GROUP BY jd, candid
      HAVING maxIf(held, content = {content:String}) != maxIf(held, content != {content:String}) ORDER BY jd, candid`,
      { ...asked, content, upToJd: upToJd ?? 1e300 },
    );
    const [objectId, jd, candid] = [strings(block, "id"), numbers(block, "jd"), bigints(block, "candid")];
    return {
      upToJd,
      alerts: eachRow(block, (row) => ({ objectId: objectId[row]!, jd: jd[row]!, candid: candid[row]! })),
    };
  }

  async page(
    content: string,
    survey: Survey,
    first: number,
    after: { readonly jd: number; readonly candid: bigint } | null,
  ): Promise<MarkedAlert[]> {
    const { jd: beforeJd, candid: beforeCandid } = after ?? { jd: 1e300, candid: 0n };
    const block = await this.client.query(
      `SELECT jd, candid, level, distanceMean, distanceSigma, names, separations, ras, decs FROM marks
      WHERE survey = {survey:String} AND content = {content:String}
        AND jd <= {beforeJd:Float64} AND (jd < {beforeJd:Float64} OR candid < {beforeCandid:Int64})
      ORDER BY jd DESC, candid DESC LIMIT 1 BY jd, candid LIMIT {first:UInt32}`,
      { survey, content, first, beforeJd, beforeCandid },
    );
    const [jd, candid, level] = [numbers(block, "jd"), bigints(block, "candid"), numbers(block, "level")];
    const [mean, sigma] = [numbers(block, "distanceMean"), numbers(block, "distanceSigma")];
    return eachRow(block, (row) => {
      const items = (name: string) => itemsOf(block.lists!.get(name)!, row);
      const [names, separations, ras, decs] = ["names", "separations", "ras", "decs"].map(items);
      const positions = names!.map((name, n) => ({
        name: name as string,
        ra: ras![n] as number,
        dec: decs![n] as number,
        separationArcsec: separations![n] as number,
      }));
      const distance = Number.isNaN(mean[row]!) ? null : { meanMpc: mean[row]!, sigmaMpc: sigma[row]! };
      return { jd: jd[row]!, candid: candid[row]!, level: level[row]!, distance, positions };
    });
  }
}

function itemsOf({ ends, items }: ListColumn, row: number): (string | number)[] {
  return Array.from(items.values.slice(row === 0 ? 0 : ends[row - 1]!, ends[row]!) as ArrayLike<string | number>);
}
