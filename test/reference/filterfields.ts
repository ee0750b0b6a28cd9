// Fields of a made-up survey with every column type, for tests of the filter language.
import type { ElementType } from "../../domain/columns.js";
import type { OperandSource, Operands } from "../../domain/operand.js";
import type { SurveyDescription } from "../../domain/survey.js";
import { fieldsOfSurveys } from "../../filters/fields.js";
import { counterpartHistories } from "../../ingest/enrich/counterparthistory.js";

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
  pointColumns: [],
  pointFields: { detections: [], nonDetections: [], forced: [] },
  nightOffsetHours: 0,
  cuts: [
    { name: "bright", expression: "let m = magpsf + 1; m < 19 or drb > 0.5", description: "A cut for tests." },
    {
      name: "again",
      expression: "has(detections, alert.jd - jd > 0 and not isPositive)",
      description: "One of lists.",
    },
  ],
};

const ofPoint = (name: string, column: string, type: ElementType) => {
  return { name, column, type, unit: null, description: `Field ${name}.` };
};
/** Another survey, whose objects may be the counterparts of those of TEST_SURVEY. */
export const OTHER_SURVEY: SurveyDescription = {
  ...TEST_SURVEY,
  id: "LSST",
  fields: [],
  counterpartRadiusArcsec: 1.2,
  pointColumns: [
    { name: "lsst_reliability", type: "Float32", isFixed: true },
    { name: "lsst_extendedness", type: "Float32", isFixed: false },
  ],
  pointFields: {
    detections: [
      ofPoint("diaSourceId", "pointId", "Int64"),
      ofPoint("jd", "jd", "Float64"),
      ofPoint("band", "band", "String"),
      ofPoint("isPositive", "isPositive", "Bool"),
      ofPoint("psfFlux", "flux", "Float64"),
      ofPoint("snr", "snr", "Float64"),
      ofPoint("magnitudeError", "magnitudeError", "Float64"),
      ofPoint("reliability", "lsst_reliability", "Float32"),
      ofPoint("extendedness", "lsst_extendedness", "Float32"),
    ],
    nonDetections: [],
    forced: [],
  },
};

/** What enrichment could add, with every column type in its lists. */
export const TEST_OPERANDS: Operands = {
  values: [
    own("feature.g.peakMag", "Float64", true, "mag"),
    own("score.net.real", "Float32", true),
    own("class.net", "String", true),
    own("area.m31", "Bool", false),
    own("skymap.S1", "Float64", true),
    own("skymap.S1.distance.mean", "Float64", true, "Mpc"),
    own("feature.count", "Int32", false),
  ],
  lists: [
    {
      name: "detections",
      description: "Detections of the object.",
      order: "time",
      fields: [
        own("candid", "Int64", false),
        own("jd", "Float64", false, "d"),
        own("magpsf", "Float32", false, "mag"),
        own("drb", "Float32", true),
        own("band", "String", false),
        own("isPositive", "Bool", false),
        own("nid", "Int32", true),
        own("tag", "String", true),
        own("small", "Int16", false),
        own("bigOrNone", "UInt64", true),
        own("isSolar", "Bool", true),
        own("field", "UInt32", false),
      ],
    },
    {
      name: "forced",
      description: "Forced photometry.",
      order: "time",
      fields: [own("snr", "Float64", true), own("jd", "Float64", false, "d"), own("procstatus", "String", true)],
    },
    {
      name: "match.gaia_dr3",
      description: "Sources of Gaia DR3.",
      order: "separation",
      fields: [
        own("sourceId", "UInt64", false),
        own("separationArcsec", "Float64", false, "arcsec"),
        own("plx", "Float32", true),
      ],
    },
    ...counterpartHistories([TEST_SURVEY, OTHER_SURVEY]).operands(TEST_SURVEY.id).lists,
    { name: "watch.mine", description: "A watch list.", order: "separation", fields: [own("name", "String", false)] },
  ],
};

export const TEST_SOURCE: OperandSource = { operands: () => TEST_OPERANDS, onChange: () => () => undefined };

export const TEST_FIELDS = fieldsOfSurveys([TEST_SURVEY], [TEST_SOURCE]);
