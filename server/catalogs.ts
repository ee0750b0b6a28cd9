// PUT /catalogs/{name}: a catalog's file from a caller who has none on the server. Mounted by cli/ through createApp's
// `routes`; errors are coded by the app.
import { type Request, Router } from "express";
import { TocsinError } from "../domain/errors.js";
import { isoFromJd } from "../domain/time.js";
import type { Viewer } from "../domain/viewer.js";
import type { CatalogKeeper, CatalogLoading } from "../resolvers/services.js";

/** What addCatalog takes too, by the same names. */
const TEXTS = "definition types rule ellipse ra dec id raUnit pmRa pmDec title version date licence citation url".split(
  " ",
);
const NUMBERS = "radius limit kpc near epoch toEpoch".split(" ");
const OWN = ["columns", "offset", "more"];

/**
 * Answers with the load as JSON: `finished` where it took less than some seconds, 202 where it goes on; with `more=true` with
 * the bytes that are here. Throws NOT_ALLOWED, NOT_HERE, BAD_ARGUMENT, BAD_CATALOG, TOO_LARGE, DISK_FULL, LOAD_IN_PROGRESS.
 */
export function catalogRoutes(keeper: CatalogKeeper | undefined, viewerOf: (request: Request) => Viewer): Router {
  const router = Router();
  router.put("/catalogs/:name", async (request, response) => {
    // Before anything of the body is read.
    if (!viewerOf(request).mayChange) throw new TocsinError("NOT_ALLOWED", "The caller may not add catalogs.");
    if (keeper === undefined) {
      throw new TocsinError("NOT_HERE", "This process takes no catalogs.", { remedy: "Ask one that takes alerts in." });
    }
    const { columns, offset, more, ...options } = asked(request);
    const { bytes, load } = await keeper.receive({
      name: request.params.name,
      columns:
        columns === undefined
          ? null
          : String(columns)
              .split(",")
              .map((name) => name.trim()),
      options,
      offset: offsetOf(offset),
      isLast: !isTrue(more),
      body: request,
    });
    if (load === null) response.json({ name: request.params.name, bytes });
    else response.status(load.finished ? 200 : 202).json({ ...told(load), bytes });
  });
  return router;
}

function asked(request: Request<{ name: string }>): Record<string, string | number> {
  const entries = Object.entries(request.query).map(([name, value]) => {
    if (typeof value !== "string" || value.length > 10_000) {
      throw new TocsinError("BAD_ARGUMENT", `${name.slice(0, 40)} must be given once, with at most 10,000 characters.`);
    }
    if (TEXTS.includes(name) || OWN.includes(name)) return [name, value] as const;
    if (!NUMBERS.includes(name)) {
      throw new TocsinError("BAD_ARGUMENT", `There is no ${JSON.stringify(name.slice(0, 40))} to say of a catalog.`, {
        remedy: `There are ${[...TEXTS, ...NUMBERS, ...OWN].join(", ")}.`,
      });
    }
    const number = Number(value);
    if (value.trim() !== "" && Number.isFinite(number)) return [name, number] as const;
    throw new TocsinError("BAD_ARGUMENT", `${name} must be a number, found ${JSON.stringify(value.slice(0, 40))}.`);
  });
  return Object.fromEntries(entries);
}

function offsetOf(value: string | number | undefined): number {
  if (value === undefined) return 0;
  if (/^\d{1,14}$/.test(String(value))) return Number(value);
  throw new TocsinError("BAD_ARGUMENT", "offset must be the number of bytes that were sent before.");
}

function isTrue(value: string | number | undefined): boolean {
  if (value === undefined || value === "false") return false;
  if (value === "true") return true;
  throw new TocsinError("BAD_ARGUMENT", "more must be true or false.");
}

const told = ({ startedAt, ...load }: CatalogLoading) => ({ ...load, startedAt: isoFromJd(startedAt) });
