// What a hundred astronomers ask, one query after the other: objects with light curves, pages of alerts, cones, pages of
// hits. Used by load.bench.ts.
import { random } from "./random.js";

/** Where and what there is to ask for. */
export interface Asked {
  readonly objects: readonly {
    readonly survey: string;
    readonly objectId: string;
    readonly ra: number;
    readonly dec: number;
  }[];
  readonly filterIds: readonly string[];
}

export type Kind = "object" | "alerts" | "cone" | "hits";

/** Parts of all requests. */
export const MIX: Readonly<Record<Kind, number>> = { object: 0.4, alerts: 0.25, cone: 0.25, hits: 0.1 };

/** Drawn from evenly, these have the shares of the mix. */
const DRAWN = (Object.keys(MIX) as Kind[]).flatMap((kind) => new Array<Kind>(Math.round(100 * MIX[kind])).fill(kind));

const TEXTS: Readonly<Record<Kind, string>> = {
  object: `query ($survey: Survey!, $id: ID!) { object(survey: $survey, objectId: $id) { objectId ra dec firstSeen lastSeen
    alertCount lightCurve { detections { candid jd band magnitude magnitudeError flux fluxError isPositive }
    nonDetections { jd band limitingMagnitude } } } }`,
  alerts: `query ($where: AlertWhere!) { alerts(where: $where, first: 50) { edges { node { survey candid objectId time jd ra
    dec band magnitude magnitudeError flux fluxError isPositive class } } pageInfo { endCursor hasNextPage } } }`,
  cone: `query ($ra: Float!, $dec: Float!, $radius: Float!) { coneSearch(ra: $ra, dec: $dec, radiusArcsec: $radius, first: 100) {
    edges { separationArcsec node { survey objectId ra dec alertCount } } } }`,
  hits: `query ($ids: [ID!]!) { hits(filterIds: $ids, first: 50) { edges { cursor node { filterId passedAt annotations
    alert { survey candid objectId jd ra dec band magnitude } } } pageInfo { endCursor } } }`,
};

export interface Query {
  readonly kind: Kind;
  /** JSON of a GraphQL request. */
  readonly body: string;
}

/** The first `count` queries of user `user`: the same in every run. */
export function queriesOf(user: number, count: number, { objects, filterIds }: Asked): Query[] {
  const next = random(1_000 + user);
  const one = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)]!;
  const variables: Readonly<Record<Kind, () => object>> = {
    object() {
      const { survey, objectId } = one(objects);
      return { survey, id: objectId };
    },
    alerts: () => ({ where: { survey: next() < 0.8 ? "ZTF" : "LSST", ...(next() < 0.5 && { class: one(CLASSES) }) } }),
    cone() {
      const { ra, dec } = one(objects);
      return { ra, dec, radius: next() < 0.5 ? 5 : 300 };
    },
    hits: () => ({ ids: [one(filterIds)] }),
  };
  return Array.from({ length: count }, () => {
    const kind = one(DRAWN);
    return { kind, body: JSON.stringify({ query: TEXTS[kind], variables: variables[kind]() }) };
  });
}

const CLASSES = ["solar-system", "stellar", "hosted"];
