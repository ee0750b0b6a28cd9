// Objects, light curves and counterparts of a whole level of a request in one query each.
import DataLoader from "dataloader";
import type { LightCurve } from "../../domain/photometry.js";
import type { SkyObject } from "../../domain/skyobject.js";
import type { Viewer } from "../../domain/viewer.js";
import { MAX_PAGE } from "../../schema/paging/bounds.js";
import { type Counterpart, type LinkStore, type ObjectKey, objectKey } from "../../stores/links.store.js";
import type { ObjectStore } from "../../stores/objects.store.js";
import type { PhotometryStore } from "../../stores/photometry.store.js";
import { surveyLoader } from "../surveyloader.js";

export const objectLoader = (objects: Pick<ObjectStore, "byIds">, viewer: Viewer) =>
  surveyLoader<string, SkyObject>((survey, ids, asOf) => objects.byIds(viewer, survey, ids, asOf));

export const lightCurveLoader = (photometry: PhotometryStore, viewer: Viewer) =>
  surveyLoader<string, LightCurve>((survey, ids, asOf) => photometry.lightCurves(viewer, survey, ids, asOf));

/** Keys only: who may see the counterpart is for the object loader to say. */
export const counterpartLoader = (links: Pick<LinkStore, "counterparts">) =>
  new DataLoader<ObjectKey, readonly Counterpart[], string>(
    async (keys) => {
      const found = await links.counterparts(keys);
      return keys.map((key) => found.get(objectKey(key)) ?? []);
    },
    { cacheKeyFn: objectKey, maxBatchSize: MAX_PAGE },
  );
