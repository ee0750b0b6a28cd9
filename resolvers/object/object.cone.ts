// Objects in a circle, page by page. Called by the resolvers of this folder.
import { coneCursor, queryIdentity } from "../../domain/cursor.js";
import type { Cone } from "../../domain/skyobject.js";
import type { Survey } from "../../domain/survey.js";
import type { ConeConnectionType } from "../../schema/object/object.type.js";
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
  return connection(matches, first, ({ object, separationArcsec }) => ({
    get cursor() {
      return coneCursor.encode(identity, [separationArcsec, object.survey, object.objectId]);
    },
    separationArcsec,
    node: new ShownPlace(object, loaders.object),
  }));
}
