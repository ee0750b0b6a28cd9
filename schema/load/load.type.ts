// What everything that is loaded from files tells of itself, and how a load of it stands. Extended by the types of catalogs
// and of archives of light curves.
import { Field, Float, ObjectType } from "type-graphql";
import { DateTime } from "../scalars/datetime.scalar.js";
import { Long } from "../scalars/long.scalar.js";

const simple = true;

@ObjectType("CatalogFile", { simpleResolvers: true })
export class LoadedFileType {
  @Field(() => String)
  name!: string;
  @Field(() => Long)
  bytes!: bigint;
  @Field(() => String)
  sha256!: string;
}

@ObjectType("RejectedRow", { simpleResolvers: true, description: "A row that was not taken." })
export class RejectedRowType {
  @Field(() => String)
  file!: string;
  @Field(() => Long, { description: "From 1, without header lines." })
  row!: bigint;
  @Field(() => String)
  reason!: string;
}

/** Where it comes from, and what was read of it. */
@ObjectType()
export abstract class LoadedFields {
  @Field(() => String, { simple, description: "In queries; of a catalog filters write match.<name>." })
  name!: string;
  @Field(() => Long, { simple, description: "Rises with each load of this name." })
  revision!: bigint;
  @Field(() => String, { simple })
  title!: string;
  @Field(() => String, { simple, nullable: true, description: "Where it can be had." })
  source!: string | null;
  @Field(() => String, { simple, nullable: true })
  version!: string | null;
  @Field(() => String, { simple, nullable: true, description: "When it was published or fetched." })
  date!: string | null;
  @Field(() => String, { simple, nullable: true })
  licence!: string | null;
  @Field(() => String, { simple, nullable: true })
  citation!: string | null;
  @Field(() => [LoadedFileType], { simple })
  files!: LoadedFileType[];
  @Field(() => Long, { simple, description: "Rows read of the files so far." })
  rowsRead!: bigint;
  @Field(() => [RejectedRowType], { simple, description: "The first 20." })
  rejectedRows!: RejectedRowType[];
  @Field(() => DateTime, { simple })
  changedAt!: number;
}

/** A load that is under way, or was. */
@ObjectType()
export abstract class LoadFields {
  @Field(() => String, { simple })
  name!: string;
  @Field(() => DateTime, { simple })
  startedAt!: number;
  @Field(() => Float, { simple, description: "Part that is done, 0 to 1: the files' checksums, then their rows." })
  done!: number;
  @Field(() => Boolean, { simple })
  finished!: boolean;
  @Field(() => String, { simple, nullable: true, description: "Why it failed, and what to do." })
  error!: string | null;
}
