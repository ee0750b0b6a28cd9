import { describe, expect, it } from "vitest";
import { allDefinitions, checkedDefinition, definitionNames, definitionOf } from "./definition.js";
import { describedBy } from "./options.js";
import { freeName, planOf } from "./plan.js";
import type { TableColumn } from "./table.js";

/** What Kowalski and BOOM match with, by our names. */
const PEERS = [
  "twomass_psc",
  "allwise",
  "gaia_dr2",
  "gaia_edr3",
  "gaia_dr2_wd",
  "ps1_strm",
  "galaxy_redshifts",
  "galex",
  "igaps",
  "lamost_dr5",
  "ps1_dr1",
  "milliquas_v6",
  "clu",
  "ned_lvs",
  "gaia_dr3",
  "desi_dr1",
  "ls_dr10_photoz",
  "lspsc",
  "catwise2020",
  "vsx",
  "tns",
  "milliquas_v8",
  "ps1_dr2",
  "lsdr10",
];

const column = (name: string, more: Partial<TableColumn> = {}): TableColumn => ({
  name,
  type: "Float64",
  unit: null,
  description: "",
  ...more,
});

describe("definitions of known catalogs", () => {
  it("are many, among them those of the peers", () => {
    expect(definitionNames().length).toBeGreaterThanOrEqual(40);
    expect(definitionNames()).toEqual(expect.arrayContaining(PEERS));
  });

  it.each(definitionNames())("%s is whole", (name) => {
    const definition = definitionOf(name)!;
    expect(definition.name).toBe(name);
    expect(definition.citation ?? definition.fetch).toBeDefined();
    // A file that has the first name of each column gives every column under its own name.
    const columns = [
      column(definition.ra![0]!),
      column(definition.dec![0]!),
      ...[definition.id?.[0], definition.pmRa?.[0], definition.pmDec?.[0]]
        .flatMap((one) => one ?? [])
        .map((one) => column(one)),
      ...Object.keys(definition.columns ?? {}).map((one) => column(one)),
    ];
    const own = columns.filter(({ name }, n) => columns.findIndex((one) => one.name === name) === n);
    const plan = planOf(
      definition,
      own.map((one) => (one.name === definition.id?.[0] ? { ...one, type: "Int64" } : one)),
      null,
      "f",
    );
    expect(plan.leftOut).toEqual([]);
    expect(plan.columns.map(({ to }) => to.name)).toEqual(Object.keys(definition.columns ?? {}));
    for (const { to } of plan.columns) expect(to.description).not.toBe("");
    // Aliases lead back to the same column, and to no other's.
    const names = Object.entries(definition.columns ?? {}).flatMap(([to, { from = [] }]) =>
      [to, ...from].map((one) => one),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it("bring stars to the target epoch wherever their catalog tells motions that can be trusted", () => {
    const moving = allDefinitions().filter(({ pmRa }) => pmRa !== undefined);
    expect(moving.map(({ name, epoch }) => [name, epoch])).toEqual([
      ["atlas_refcat2", 2015.5],
      ["gaia_dr2", 2015.5],
      ["gaia_dr2_wd", 2015.5],
      ["gaia_dr3", 2016],
      ["gaia_edr3", 2016],
      ["gaia_edr3_wd", 2016],
      ["hipparcos", 1991.25],
      ["simbad", 2000],
      ["tic", 2000],
      ["tycho2", 2000],
      ["usno_b1", 2000],
    ]);
  });

  it("read VizieR's columns and the archives' own as the same", () => {
    const named = (name: string, columns: readonly string[]) =>
      planOf(
        definitionOf(name)!,
        columns.map((one) => column(one)),
        null,
        "f",
      ).columns.map(({ to }) => to.name);
    expect(named("ps1_dr1", ["objID", "RAJ2000", "DEJ2000", "gmag", "e_gmag", "Nd", "Qual"])).toEqual([
      "gMeanPSFMag",
      "gMeanPSFMagErr",
      "nDetections",
      "qualityFlag",
    ]);
    expect(named("sdss_dr16_photo", ["objID", "RA_ICRS", "DE_ICRS", "umag", "upmag", "e_upmag"])).toEqual([
      "psfMag_u",
      "psfMagErr_u",
      "modelMag_u",
    ]);
    expect(named("catwise2020", ["Name", "RA_ICRS", "DE_ICRS", "W1mproPM", "e_W1mproPM", "pmRA", "pmDE"])).toEqual([
      "w1mpro",
      "w1sigmpro",
      "pmra",
      "pmdec",
    ]);
    // Observed positions of other epochs are none of the catalog's epoch.
    expect(() => named("tycho2", ["RA(ICRS)", "DE(ICRS)", "pmRA", "pmDE"])).toThrow(/RAmdeg/);
  });

  it("have the distance rule where the peers have it", () => {
    const rules = allDefinitions().flatMap(({ name, rule, radius }) =>
      rule === undefined ? [] : [[name, rule.by, radius]],
    );
    expect(rules).toEqual(
      expect.arrayContaining([
        ["ned_lvs", "Mpc", 300],
        ["clu", "redshift", 1200],
        ["desi_dr1", "redshift", 30],
        ["ls_dr10_photoz", "redshift", 30],
      ]),
    );
  });
});

describe("a description by options", () => {
  it("stands on a definition, or needs a radius", () => {
    expect(describedBy("gaia_dr3", { radius: 5, limit: 1 })).toMatchObject({ radius: 5, limit: 1, epoch: 2016 });
    expect(describedBy("mine", { definition: "vsx" })).toMatchObject({ name: "mine", radius: 2 });
    expect(describedBy("mine", { radius: 3, ra: "X", rule: "Mpc:d" })).toMatchObject({
      ra: ["X"],
      rule: { by: "Mpc", column: "d", kpc: 30, near: 300 },
    });
    expect(() => describedBy("mine", {})).toThrow(/radius must be told/);
    expect(() => describedBy("mine", { radius: 3, definition: "nope" })).toThrow(/No catalog nope/);
    expect(() => describedBy("Mine!", { radius: 3 })).toThrow(/small letter/);
    expect(() => describedBy("mine", { radius: -1 })).toThrow(/radius/);
    expect(() => describedBy("mine", { radius: 3, rule: "by eye" })).toThrow(/no rule/);
    const ellipse = { axis: "DIAM", ratio: "BA", angle: "PA", arcsec: 30 };
    expect(describedBy("mine", { radius: 3, rule: "redshift:z", ellipse: "DIAM:BA:PA:30" }).rule).toMatchObject({
      ellipse,
    });
    expect(describedBy("sga2020", {}).rule).toMatchObject({ ellipse });
    expect(describedBy("sga2020", { ellipse: "none" }).rule).not.toHaveProperty("ellipse");
    expect(() => describedBy("mine", { radius: 3, rule: "redshift:z", ellipse: "DIAM" })).toThrow(/no ellipse/);
    expect(() => describedBy("mine", { radius: 3, ellipse: "DIAM:BA:PA:30" })).toThrow(/distance rule/);
    expect(() => describedBy("mine", { radius: 3, pmRa: "a", pmDec: "b" })).toThrow(/an epoch/);
    expect(() => checkedDefinition({ name: "a", title: "a", radius: 1, colour: "red" }, "here")).toThrow(/here/);
  });
});

describe("a plan", () => {
  const options = { radius: 2 };
  it("finds positions by their usual names, whatever the case", () => {
    const plan = planOf(
      describedBy("mine", options),
      [column("RAJ2000"), column("DEJ2000"), column("Mag (V)")],
      null,
      "f",
    );
    expect(plan).toMatchObject({ ra: "RAJ2000", dec: "DEJ2000", id: null, raUnit: "deg", raUnitAssumed: true });
    expect(plan.columns.map(({ to }) => to.name)).toEqual(["Mag_V_"]);
  });

  it("names what it found and proposes the nearest", () => {
    const columns = [column("right_asc"), column("declin"), column("flux_g")];
    expect(() => planOf(describedBy("mine", options), columns, null, "f.csv")).toThrow(
      /f\.csv.*there are right_asc, declin, flux_g/,
    );
    const placed = describedBy("mine", { ...options, ra: "right_asc", dec: "declin" });
    expect(() => planOf(placed, columns, ["flux_h"], "f")).toThrow(/flux_h.*Did you mean flux_g\?/);
    expect(() =>
      planOf(describedBy("mine", { ...options, ra: "rihgt_asc", dec: "declin" }), columns, null, "f"),
    ).toThrow(/Did you mean right_asc\?/);
  });

  it("takes units from the file unless it is told", () => {
    const unit = (ra: Partial<TableColumn>, raUnit?: string) => {
      const plan = planOf(describedBy("mine", { ...options, raUnit }), [column("ra", ra), column("dec")], null, "f");
      return [plan.raUnit, plan.raUnitAssumed];
    };
    expect(unit({ unit: "h" })).toEqual(["hours", false]);
    expect(unit({ unit: "hourangle" })).toEqual(["hours", false]);
    expect(unit({ unit: "deg" })).toEqual(["deg", false]);
    expect(unit({ unit: "rad" })).toEqual(["rad", false]);
    expect(unit({ unit: "deg" }, "hours")).toEqual(["hours", false]);
    expect(unit({ type: "String" })).toEqual(["text", true]);
    expect(() => unit({ unit: "furlong" })).toThrow(/furlong/);
  });

  it("keeps names apart from those that every source has", () => {
    expect(freeName("ra", new Set())).toBe("ra_");
    expect(freeName("2MASS", new Set())).toBe("_2MASS");
    expect(freeName("a b", new Set(["a_b"]))).toBe("a_b_");
    expect(freeName("separationArcsec", new Set())).toBe("separationArcsec_");
  });
});
