// Users' filters and their versions. Implemented by stores/graph.
import type { Annotation, Filter, FilterStream } from "../domain/filter.js";
import type { Survey } from "../domain/survey.js";

export interface NewFilter {
  readonly name: string;
  readonly survey: Survey;
  readonly where: string;
  readonly annotations: readonly Annotation[];
  readonly active: boolean;
  readonly stream?: FilterStream | null;
}
/** What is absent stays. A changed `where` or `annotations` is a new version. */
export interface FilterChange {
  readonly name?: string;
  readonly where?: string;
  readonly annotations?: readonly Annotation[];
  readonly active?: boolean;
  readonly changelog?: string | null;
  /** null ends it. A stream of the same format stays as it is, with its own `after`. */
  readonly stream?: FilterStream | null;
}

export interface FilterStore {
  create(filter: NewFilter): Promise<Filter>;
  /** null where no filter has this id. */
  update(id: string, change: FilterChange): Promise<Filter | null>;
  get(id: string): Promise<Filter | null>;
  byIds(ids: readonly string[]): Promise<Map<string, Filter>>;
  /** By name, then id. */
  list(first: number, after: { name: string; id: string } | null): Promise<Filter[]>;
  active(): Promise<Filter[]>;
  /** The streams of all filters that have one, active or not, by filter id. */
  streams(): Promise<Map<string, FilterStream>>;
  /** Called after every create and update, so that the next batch runs the changed filter. */
  onChange(listener: () => void): () => void;
  /**
   * From now on listeners hear of changes by other processes too, within about a second, and once at the start for what
   * was changed before. The function ends it.
   */
  follow(): () => void;
}
