// Merged light curves. Implemented by stores/archive.
import type { LightCurve } from "../domain/photometry.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

export interface PhotometryStore {
  /**
   * Light curves of up to 1,000 objects in one query; objects without a visible point are absent. With `asOf`, a JD of UTC,
   * as packets of alerts up to then had told them.
   */
  lightCurves(
    viewer: Viewer,
    survey: Survey,
    objectIds: readonly string[],
    asOf?: number | null,
  ): Promise<Map<string, LightCurve>>;
}
