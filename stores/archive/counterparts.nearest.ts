// NearestStore on ClickHouse: which object of another survey was the counterpart of an alert at its time. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import { separationArcsec } from "../../domain/sky.js";
import type { NearestStore, OtherSurvey } from "../counterparts.store.js";
import { bigints, blockOf, numbers, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { positionsByCell } from "./objects.js";

export class ArchiveNearest implements NearestStore {
  constructor(private readonly client: ArchiveClient) {}

  async nearest(alerts: Block, other: OtherSurvey): Promise<(string | null)[]> {
    const [ra, dec, jd] = ["ra", "dec", "jd"].map((name) => numbers(alerts, name)) as Float64Array[];
    const asking = positionsByCell(ra!, dec!, other.radiusArcsec);
    const near = await this.#objectsIn([...asking.keys()], other);
    if (near.length === 0) return new Array<null>(alerts.rows).fill(null);
    const ways = await this.#ways([...new Set(near.map(({ objectId }) => objectId))], other);
    const nearest = new Array<string | null>(alerts.rows).fill(null);
    const separations = new Float64Array(alerts.rows).fill(Number.POSITIVE_INFINITY);
    for (const { cell, objectId } of near) {
      const way = ways.get(objectId)!;
      for (const at of asking.get(cell)!) {
        const place = way.at(jd![at]!);
        if (place === null) continue;
        const separation = separationArcsec(ra![at]!, dec![at]!, place.ra, place.dec);
        if (separation > other.radiusArcsec || separation > separations[at]!) continue;
        if (separation === separations[at] && objectId >= nearest[at]!) continue;
        nearest[at] = objectId;
        separations[at] = separation;
      }
    }
    return nearest;
  }

  /** The objects that were in one of these cells in a public alert. Most batches have none. */
  async #objectsIn(
    cells: readonly number[],
    { survey, publicProgramids }: OtherSurvey,
  ): Promise<{ cell: number; objectId: string }[]> {
    if (cells.length === 0) return [];
    const cover = blockOf(cells.length, { cell: unsigned(BigUint64Array.from(cells, BigInt)) });
    const near = await this.client.query(
      `SELECT DISTINCT cell, objectId FROM positions
      WHERE cell IN (SELECT cell FROM cover) AND survey = {survey:String} AND programid IN {publicProgramids:Array(Int32)}`,
      { survey, publicProgramids },
      { external: [{ name: "cover", block: cover }] },
    );
    const objectIds = strings(near, "objectId");
    return Array.from(bigints(near, "cell"), (cell, row) => ({ cell: Number(cell), objectId: objectIds[row]! }));
  }

  /** Where each object was in its public alerts, by (jd, candid). */
  async #ways(objectIds: readonly string[], { survey, publicProgramids }: OtherSurvey): Promise<Map<string, Way>> {
    const block = await this.client.query(
      `SELECT objectId, jd, ra, dec FROM object_alerts
      WHERE survey = {survey:String} AND objectId IN (SELECT objectId FROM near)
        AND programid IN {publicProgramids:Array(Int32)}
      ORDER BY objectId, jd, candid`,
      { survey, publicProgramids },
      { external: [{ name: "near", block: blockOf(objectIds.length, { objectId: texts(objectIds) }) }] },
    );
    const ids = strings(block, "objectId");
    const [jd, ra, dec] = ["jd", "ra", "dec"].map((name) => numbers(block, name)) as Float64Array[];
    const ways = new Map<string, Way>();
    for (let row = 0; row < block.rows; row++) {
      if (row === 0 || ids[row] !== ids[row - 1]) ways.set(ids[row]!, new Way(jd!, ra!, dec!, row));
      ways.get(ids[row]!)!.end = row + 1;
    }
    return ways;
  }
}

/** Rows of one object, by time. */
class Way {
  end: number;

  constructor(
    private readonly jd: Float64Array,
    private readonly ra: Float64Array,
    private readonly dec: Float64Array,
    private readonly start: number,
  ) {
    this.end = start;
  }

  /** The last place up to then; null before the first. */
  at(jd: number): { ra: number; dec: number } | null {
    let [low, high] = [this.start, this.end];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.jd[middle]! <= jd) low = middle + 1;
      else high = middle;
    }
    return low === this.start ? null : { ra: this.ra[low - 1]!, dec: this.dec[low - 1]! };
  }
}
