// Fields of a made-up survey with every column type, for tests of the filter language.
import type { ElementType } from "../../domain/columns.js";
import type { SurveyDescription } from "../../domain/survey.js";
import { fieldsOfSurveys } from "../../filters/fields.js";

const own = (name: string, type: ElementType, nullable: boolean, unit: string | null = null) => ({
  name,
  type,
  nullable,
  unit,
  description: `Field ${name}.`,
});

export const TEST_SURVEY: SurveyDescription = {
  id: "ZTF",
  title: "A survey for tests",
  fields: [
    own("magpsf", "Float32", false, "mag"),
    own("sigmapsf", "Float32", false, "mag"),
    own("drb", "Float32", true),
    own("sgscore1", "Float32", true),
    own("distpsnr1", "Float32", true, "arcsec"),
    own("ssdistnr", "Float32", true, "arcsec"),
    own("scorr", "Float64", true),
    own("ndethist", "Int32", false),
    own("nbad", "Int32", true),
    own("field", "UInt32", true),
    own("fid", "UInt8", false),
    own("small", "Int16", true),
    own("pid", "Int64", true),
    own("bigid", "UInt64", false),
    own("bigOrNone", "UInt64", true),
    own("isSolar", "Bool", true),
    own("isdiffpos", "String", true),
  ],
  bands: ["g", "r", "i"],
  publicProgramids: [1],
  counterpartRadiusArcsec: 1.5,
  nightOffsetHours: 0,
};

export const TEST_FIELDS = fieldsOfSurveys([TEST_SURVEY]);
