// Independent truth from Python (astropy, fastavro, numpy). Called by tests only, which are skipped where it is missing.
import { execFileSync } from "node:child_process";

const interpreter = process.env.TOCSIN_PYTHON ?? "python3";

/** True where the interpreter (TOCSIN_PYTHON, else python3) can import all of these modules. */
export function pythonHas(...modules: string[]): boolean {
  try {
    execFileSync(interpreter, ["-c", `import ${modules.join(", ")}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Run a script that reads its input as JSON from stdin and prints its answer as JSON. */
export function python<T>(script: string, input: unknown = null): T {
  const output = execFileSync(interpreter, ["-c", `import json, sys\ninput = json.load(sys.stdin)\n${script}`], {
    input: JSON.stringify(input),
    maxBuffer: 512 * 1024 * 1024,
  });
  return JSON.parse(output.toString("utf8")) as T;
}
