// Filters as the API shows them. Used by the filters' queries and mutations.
import { TocsinError } from "../../domain/errors.js";
import type { Filter } from "../../domain/filter.js";
import { jdFromEpochMs } from "../../domain/time.js";
import type { FilterType } from "../../schema/filter/filter.type.js";
import { hitTopic } from "../../subscriptions/streams/topic.js";

export function shownFilter(filter: Filter): FilterType {
  const versions = filter.versions.map((version) => ({ ...version, createdAt: jdFromEpochMs(version.createdAt) }));
  const version = versions.at(-1);
  if (version === undefined) throw new TocsinError("INTERNAL", `Filter ${filter.id} has no version.`);
  const stream = filter.stream && {
    format: filter.stream.format,
    topic: hitTopic(filter.id, filter.stream.format),
  };
  return { ...filter, stream, version, versions };
}
