// Objects whose latest values were not made by what makes them now, or could not be made. Implemented by stores/archive.
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

export interface StaleValues {
  readonly objectId: string;
  /** Version of the model, or revision of the catalog, that made them. */
  readonly madeBy: string;
}

/** Objects by objectId, after `after`, as the viewer's alerts have them; those without such values are none of them. */
export interface StaleStore {
  /** The latest alert that a model has scored, in whatever version (not as a shadow), was not scored by this one. */
  scores(
    viewer: Viewer,
    survey: Survey,
    model: { readonly name: string; readonly version: string },
    first: number,
    after: string | null,
  ): Promise<StaleValues[]>;
  /** The latest alert that has a row of a catalog's matches has it of another revision. */
  matches(
    viewer: Viewer,
    survey: Survey,
    catalog: { readonly name: string; readonly revision: number },
    first: number,
    after: string | null,
  ): Promise<StaleValues[]>;
  /** Object ids: the latest alert's batch lacks the step's values, all or this part, and nothing has been made since. */
  missing(
    viewer: Viewer,
    survey: Survey,
    values: { readonly step: "features" | "scores" | "crossmatch"; readonly part: string | null },
    first: number,
    after: string | null,
  ): Promise<string[]>;
}
