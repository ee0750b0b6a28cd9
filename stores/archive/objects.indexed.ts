// ObjectStore whose cones and neighbours come out of the sky index; ClickHouse answers, with the same results, while it is
// being read and where its memory does not suffice. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import type { Cone, ConeMatch, SkyObject } from "../../domain/skyobject.js";
import type { Survey } from "../../domain/survey.js";
import { maySee, type Viewer } from "../../domain/viewer.js";
import type { ConeKey, Neighbour, ObjectStore } from "../objects.store.js";
import { outsideRequests } from "../request.js";
import { bigints, numbers, strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { checkCone } from "./cones.js";
import { checkNeighbourRadius, nearestFirst, pageOfCone } from "./objects.js";
import { SkyIndex } from "./skyindex.js";

/** Rows that are read at a time: some 50 ms in which nothing else runs. */
const LOADED_ROWS = 50_000;

export class IndexedObjects implements ObjectStore {
  /** Null once there was more than it may hold. */
  #index: SkyIndex | null;
  #complete = false;
  #loading: Promise<void> | null = null;

  /** Starts to read the positions of `client`. `tell` hears when the index is given up. */
  constructor(
    private readonly client: ArchiveClient,
    private readonly archived: ObjectStore,
    bytes: number,
    private readonly tell: (line: string) => void,
  ) {
    this.#index = reserved(bytes, tell);
    this.#ready();
  }

  /** Resolves when reading has ended: whether the index answers now. */
  async loaded(): Promise<boolean> {
    await this.#loading;
    return this.#complete;
  }

  /** Positions in memory; null where the index was given up. */
  get positions(): number | null {
    return this.#index?.rows ?? null;
  }

  /** Alerts that were just written, whether reading has come to their places yet or not. */
  written(survey: Survey, alerts: Block): void {
    this.#put(alerts, () => survey);
  }

  byIds(...of: Parameters<ObjectStore["byIds"]>): Promise<Map<string, SkyObject>> {
    return this.archived.byIds(...of);
  }

  async cone(
    viewer: Viewer,
    cone: Cone,
    survey: Survey | null,
    first: number,
    after: ConeKey | null,
  ): Promise<ConeMatch[]> {
    const index = this.#ready();
    if (index === null) return this.archived.cone(viewer, cone, survey, first, after);
    checkCone(cone);
    const matches = index.within(
      cone.ra,
      cone.dec,
      cone.radiusArcsec,
      (rows) => (survey === null || rows.survey === survey) && maySee(viewer, rows.survey, rows.programid),
    );
    return pageOfCone(matches, first, after);
  }

  async neighbours(notOf: Survey, ra: Float64Array, dec: Float64Array, radiusArcsec: number): Promise<Neighbour[]> {
    const index = this.#ready();
    if (index === null) return this.archived.neighbours(notOf, ra, dec, radiusArcsec);
    checkNeighbourRadius(radiusArcsec);
    const found: Neighbour[] = [];
    for (let at = 0; at < ra.length; at++) {
      const near = index.within(ra[at]!, dec[at]!, radiusArcsec, ({ survey }) => survey !== notOf);
      for (const { object, separationArcsec } of near) {
        const { survey, objectId, ra, dec } = object;
        found.push({ index: at, survey, objectId, ra, dec, separationArcsec });
      }
    }
    return found.sort((a, b) => a.index - b.index || nearestFirst(a, b));
  }

  /** The index where it is complete. Reading that failed (a lost engine) begins again with the next question. */
  #ready(): SkyIndex | null {
    if (this.#complete) return this.#index;
    if (this.#index !== null) {
      this.#loading ??= outsideRequests(() => this.#load())
        .catch(() => {})
        .finally(() => {
          this.#loading = null;
        });
    }
    return null;
  }

  async #load(): Promise<void> {
    for (let from: bigint | null = 0n; from !== null && this.#index !== null; ) {
      const block: Block = await this.client.query(
        `SELECT cell, survey, objectId, programid, jd, candid, ra, dec FROM positions WHERE cell >= {from:UInt64}
        ORDER BY cell LIMIT ${LOADED_ROWS} WITH TIES SETTINGS read_in_order_use_buffering = 0`,
        { from },
      );
      const surveys = strings(block, "survey");
      this.#put(block, (row) => surveys[row]!);
      from = block.rows < LOADED_ROWS ? null : bigints(block, "cell").at(-1)! + 1n;
    }
    this.#complete = this.#index !== null;
  }

  #put(block: Block, surveyOf: (row: number) => Survey): void {
    if (this.#index === null) return;
    const objectId = strings(block, "objectId");
    const programid = numbers(block, "programid");
    const jd = numbers(block, "jd");
    const candid = bigints(block, "candid") as BigInt64Array;
    const ra = numbers(block, "ra");
    const dec = numbers(block, "dec");
    for (let row = 0; row < block.rows; row++) {
      const place = {
        survey: surveyOf(row),
        objectId: objectId[row]!,
        ra: ra[row]!,
        dec: dec[row]!,
        lastJd: jd[row]!,
        latestCandid: candid[row]!,
      };
      if (this.#index.put(place, programid[row]!)) continue;
      this.#index = null;
      this.#complete = false;
      this.tell("There are more objects than SKY_INDEX_MB has room for: cone searches ask the archive from now on.");
      return;
    }
  }
}

function reserved(bytes: number, tell: (line: string) => void): SkyIndex | null {
  try {
    return new SkyIndex(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    tell("The system does not give the memory of SKY_INDEX_MB: cone searches ask the archive.");
    return null;
  }
}
