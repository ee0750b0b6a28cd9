// Objects in a circle, page by page. Called by the resolvers of this folder.
import { coneCursor, queryIdentity } from "../../domain/cursor.js";
import type { Cone, ConeMatch } from "../../domain/skyobject.js";
import type { Survey } from "../../domain/survey.js";
import type { ConeConnectionType, ConeEdgeType } from "../../schema/object/object.type.js";
import type { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { cone, pageSize } from "../bounds.js";
import type { Context } from "../context.js";
import { connection } from "../paging.js";
import { ShownPlace } from "../shown.js";

/** Nearest first. */
export async function search(
  { stores, viewer, loaders }: Context,
  around: Cone,
  survey: Survey | null,
  page: PageArgs,
): Promise<ConeConnectionType> {
  const first = pageSize(page.first);
  const circle = cone(around);
  const identity = queryIdentity("cone", circle.ra, circle.dec, circle.radiusArcsec, survey);
  const key = page.after == null ? null : coneCursor.decode(identity, page.after);
  const after = key && { separationArcsec: key[0], survey: key[1], objectId: key[2] };
  const matches = await stores.objects.cone(viewer, circle, survey, first + 1, after);
  return connection(
    matches,
    first,
    (match) => new ConeEdge(match, identity, new ShownPlace(match.object, loaders.object)),
  );
}

/** Its cursor is made when asked for: most are not. A class, since an object literal with a getter costs 1 µs each. */
class ConeEdge implements ConeEdgeType {
  readonly separationArcsec: number;
  readonly #identity: string;

  constructor(
    { separationArcsec }: ConeMatch,
    identity: string,
    readonly node: ShownPlace,
  ) {
    this.separationArcsec = separationArcsec;
    this.#identity = identity;
  }

  get cursor(): string {
    return coneCursor.encode(this.#identity, [this.separationArcsec, this.node.survey, this.node.objectId]);
  }
}
