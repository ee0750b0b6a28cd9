// Where the public data files and the contract lie that tests compare with: `../shared` beside the project, or
// TOCSIN_SHARED. vitest.config.ts leaves out the test files that read them where they are not there.
import { resolve } from "node:path";

export const SHARED = process.env.TOCSIN_SHARED ?? resolve(import.meta.dirname, "../../shared");
