// What every definition of something that is loaded says of where it comes from. Used by catalogs/ and archival/.
import { z } from "zod";
import type { Provenance } from "../domain/provenance.js";

export const text = z.string().min(1).max(2_000);

/** Spread into the schemas of definitions. */
export const provenance = {
  name: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, "a small letter, then small letters, digits and _, at most 63"),
  title: text,
  source: z.url().optional(),
  version: text.optional(),
  date: z.iso.date().optional(),
  licence: text.optional(),
  citation: text.optional(),
};
const schema = z.object(provenance);

export const provenanceOf = (definition: z.infer<typeof schema>): Provenance => ({
  name: definition.name,
  title: definition.title,
  source: definition.source ?? null,
  version: definition.version ?? null,
  date: definition.date ?? null,
  licence: definition.licence ?? null,
  citation: definition.citation ?? null,
});
