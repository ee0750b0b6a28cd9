// Filters that read private marks are their owners' as the marks are: their texts name them, and their hits and annotations
// tell what they hold. Called by context.ts and resolvers/filter.
import DataLoader from "dataloader";
import { TocsinError } from "../domain/errors.js";
import type { Filter, FilterVersion } from "../domain/filter.js";
import { MARK_PREFIX, type MarkKind, markOperand } from "../domain/mark.js";
import type { Viewer } from "../domain/viewer.js";
import type { Services, Stores } from "./services.js";

type Filters = Stores["filters"];

const KINDS = Object.keys(MARK_PREFIX) as MarkKind[];

/** The filters that the viewer may know of: who may change filters knows all, others those of marks that they may see. */
export function seenFilters(filters: Filters, marks: Services["marks"], viewer: Viewer): Filters {
  if (viewer.mayChange) return filters;
  const isSeen = ({ versions }: Filter): boolean => {
    const named = versions.flatMap(marksOf);
    if (named.length === 0) return true;
    // A mark that has another name by now, or is gone, may have been a private one.
    const shown = KINDS.flatMap((kind) => marks?.desk.list(viewer, kind).map(markOperand) ?? []);
    return named.every((name) => shown.includes(name));
  };
  return {
    create: (filter) => filters.create(filter),
    update: (id, change) => filters.update(id, change),
    async get(id) {
      const filter = await filters.get(id);
      return filter !== null && isSeen(filter) ? filter : null;
    },
    async byIds(ids) {
      return new Map([...(await filters.byIds(ids))].filter(([, filter]) => isSeen(filter)));
    },
    async list(first, after) {
      const seen: Filter[] = [];
      for (let from = after; ; ) {
        const page = await filters.list(first, from);
        seen.push(...page.filter(isSeen));
        const last = page.at(-1);
        if (last === undefined || page.length < first || seen.length >= first) return seen.slice(0, first);
        from = { name: last.name, id: last.id };
      }
    },
  };
}

type Texts = Pick<FilterVersion, "where" | "annotations">;

/** Their names, also where they stand in quotes or in comments. */
const marksOf = ({ where, annotations }: Texts): string[] =>
  [where, ...annotations.map(({ expression }) => expression)].flatMap(
    (text) => text.match(/\b(?:watch|area|skymap)\.\w+/g) ?? [],
  );

/** Throws BAD_ARGUMENT where hits tell what a private mark holds: nobody knows who reads a topic. */
export function requirePublic(marks: Services["marks"], viewer: Viewer, texts: Texts): void {
  const named = marksOf(texts);
  const shared = KINDS.flatMap((kind) =>
    (marks?.desk.list(viewer, kind) ?? []).filter(({ isShared }) => isShared).map(markOperand),
  );
  const hidden = named.find((name) => !shared.includes(name));
  if (hidden === undefined) return;
  throw new TocsinError(
    "BAD_ARGUMENT",
    `The hits of a filter that reads ${hidden}, which is not shared, go to no topic.`,
    {
      remedy: `Share ${hidden} (changeMark, isShared: true), or read the hits by filterHits.`,
    },
  );
}

/** By id; null where the viewer may not know of one, whatever they were told before. */
export const filterLoader = (filters: Pick<Filters, "byIds">) =>
  new DataLoader<string, Filter | null>(async (ids) => {
    const seen = await filters.byIds([...ids]);
    return ids.map((id) => seen.get(id) ?? null);
  });
