// MarkedStore on ClickHouse: the alerts that watch lists, areas and sky maps hold. Made by stores.ts.
import type { Block, ListColumn } from "../../domain/columns.js";
import type { Survey } from "../../domain/survey.js";
import type { MarkedAlert, MarkedStore } from "../marks.store.js";
import { bigints, eachRow, numbers, repeated, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

export class ArchiveMarked implements MarkedStore {
  constructor(private readonly client: ArchiveClient) {}

  async write(survey: Survey, batchId: bigint, rows: Block): Promise<void> {
    if (rows.rows === 0) return;
    const columns = new Map(rows.columns)
      .set("survey", repeated(rows.rows, survey))
      .set("batch", unsigned(new BigUint64Array(rows.rows).fill(batchId)));
    await this.client.insert("marks", { ...rows, columns });
  }

  async page(
    content: string,
    survey: Survey,
    first: number,
    after: { readonly jd: number; readonly candid: bigint } | null,
  ): Promise<MarkedAlert[]> {
    const { jd: beforeJd, candid: beforeCandid } = after ?? { jd: 1e300, candid: 0n };
    const block = await this.client.query(
      `SELECT jd, candid, level, names, separations, ras, decs FROM marks
      WHERE survey = {survey:String} AND content = {content:String}
        AND jd <= {beforeJd:Float64} AND (jd < {beforeJd:Float64} OR candid < {beforeCandid:Int64})
      ORDER BY jd DESC, candid DESC LIMIT 1 BY jd, candid LIMIT {first:UInt32}`,
      { survey, content, first, beforeJd, beforeCandid },
    );
    const [jd, candid, level] = [numbers(block, "jd"), bigints(block, "candid"), numbers(block, "level")];
    return eachRow(block, (row) => {
      const items = (name: string) => itemsOf(block.lists!.get(name)!, row);
      const [names, separations, ras, decs] = ["names", "separations", "ras", "decs"].map(items);
      const positions = names!.map((name, n) => ({
        name: name as string,
        ra: ras![n] as number,
        dec: decs![n] as number,
        separationArcsec: separations![n] as number,
      }));
      return { jd: jd[row]!, candid: candid[row]!, level: level[row]!, positions };
    });
  }
}

function itemsOf({ ends, items }: ListColumn, row: number): (string | number)[] {
  return Array.from(items.values.slice(row === 0 ? 0 : ends[row - 1]!, ends[row]!) as ArrayLike<string | number>);
}
