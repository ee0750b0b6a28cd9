// Where what is loaded from files comes from: the same of a catalog and of an archive of light curves. Filled by
// ingest/provenance.ts.

export interface Provenance {
  /** A small letter, then small letters, digits and _. */
  readonly name: string;
  readonly title: string;
  /** Where it can be had: the address of the archive's page. */
  readonly source: string | null;
  readonly version: string | null;
  /** When it was published or fetched, ISO date. */
  readonly date: string | null;
  readonly licence: string | null;
  readonly citation: string | null;
}
