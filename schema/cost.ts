// What a query may cost, in units of one scalar field. Decorators state costs; server/limits adds them up before a run.
import type { ComplexityEstimatorArgs } from "graphql-query-complexity";
import { DEFAULT_PAGE, MAX_PAGE } from "./paging/bounds.js";

/** Ceiling of one operation: 1,000 light curves of every field, or 100 searches of the archive. */
export const MAX_COST = 1_000_000;
/** Levels of fields: object { alerts { edges { node { object { lightCurve { detections { time } } } } } } } has 8. */
export const MAX_DEPTH = 12;
/** Tokens of a document: enough for 1,000 ids written out, too few for 10,000 aliases. */
export const MAX_TOKENS = 2_000;

const SEARCH = 10_000;
const SCAN = 100_000;
const LOOKUP = 100;
const POINTS_PER_LIST = 20;

// Outside its bounds a number counts as the nearest bound, so that the resolver can name the argument and its bound.
const clamp = (rows: unknown) => (typeof rows === "number" ? Math.min(Math.max(rows, 1), MAX_PAGE) : DEFAULT_PAGE);

/** A field that searches a store by itself for a page of rows. */
export const searchCost = ({ args, childComplexity }: ComplexityEstimatorArgs): number =>
  SEARCH + clamp(args.first) * childComplexity;
/** A field that reads a stretch of the archive alert by alert. */
export const scanCost = ({ args, childComplexity }: ComplexityEstimatorArgs): number =>
  SCAN + clamp(args.first) * childComplexity;
/** A search whose answer is one thing. */
export const findCost = ({ childComplexity }: ComplexityEstimatorArgs): number => SEARCH + childComplexity;
/** A page per object: loaders turn all of them into one search. */
export const pageCost = ({ args, childComplexity }: ComplexityEstimatorArgs): number =>
  LOOKUP + clamp(args.first) * childComplexity;
/** Rows by id: loaders join them. */
export const lookupCost = ({ childComplexity }: ComplexityEstimatorArgs): number => LOOKUP + childComplexity;
export const idsCost = ({ args, childComplexity }: ComplexityEstimatorArgs): number =>
  LOOKUP + clamp(args.objectIds?.length) * childComplexity;
/** A list of a light curve, of a length known only afterwards. */
export const pointsCost = ({ childComplexity }: ComplexityEstimatorArgs): number => POINTS_PER_LIST * childComplexity;
/** A fit to a light curve: some hundredths of a second of the processor. */
export const FIT_COST = 10_000;
/** Reading and decoding a whole packet. */
export const PACKET_COST = 200;
