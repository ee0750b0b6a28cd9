// Filters with what passes them, by hand: the independent truth of hits. Used by tests and benchmarks of faults.
import type { Fields } from "./truth.js";

export interface TrueFilter {
  readonly name: string;
  readonly survey: "ZTF" | "LSST";
  readonly where: string;
  readonly passes: (fields: Fields) => boolean;
  readonly annotations: readonly { readonly name: string; readonly expression: string }[];
}
export const FILTERS: readonly TrueFilter[] = [
  {
    name: "every ZTF alert",
    survey: "ZTF",
    where: "magpsf < 99",
    passes: () => true,
    annotations: [{ name: "mag", expression: "magpsf" }],
  },
  {
    name: "bright and real",
    survey: "ZTF",
    where: "drb > 0.8 and isPositive and magpsf < 19.5",
    passes: (f) => Number(f.drb) > 0.8 && f.isdiffpos === "t" && Number(f.magpsf) < 19.5,
    annotations: [
      { name: "detections", expression: "ndethist" },
      { name: "score", expression: "drb" },
    ],
  },
  {
    name: "asteroids",
    survey: "ZTF",
    where: "ssdistnr between 0 and 12",
    passes: (f) => Number(f.ssdistnr) >= 0 && Number(f.ssdistnr) <= 12,
    annotations: [],
  },
  {
    name: "strong Rubin sources",
    survey: "LSST",
    where: "snr > 10",
    passes: (f) => Number(f.snr) > 10,
    annotations: [{ name: "flux", expression: "psfFlux" }],
  },
  {
    name: "fading Rubin sources",
    survey: "LSST",
    where: "psfFlux < 0 and reliability > 0.9",
    passes: (f) => Number(f.psfFlux) < 0 && Number(f.reliability) > 0.9,
    annotations: [],
  },
];
/** What an annotation of these filters must hold: the packet's field. */
export const ANNOTATED: Readonly<Record<string, string>> = {
  mag: "magpsf",
  detections: "ndethist",
  score: "drb",
  flux: "psfFlux",
};
