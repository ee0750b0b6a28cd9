// Tiny ONNX models (opset 17) that behave in known ways, and folders of models for tests. All take x [N, 2] and give y [N, 1].
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import type { manifestSchema } from "./manifest.js";

/**
 * sum: ReduceSum over the columns. logOfFirst: Log of the first column, NaN below 0. throws: a Reshape to 7 rows, which fails for
 * other numbers. endless: a Loop without a bound. Of x itself: turned gives y [2, N], half y [N, 2] as 16-bit floats,
 * outside adds weights that lie in another file. Sums as exporters write them: one and four have a fixed batch, double and
 * whole take and give 64-bit floats and integers, zipMap gives a map p beside y. oneSqueezed: x itself, [1, 2] to [2].
 */
const TINY = {
  sum: "CAg6aQolCgF4CgFhEgF5IglSZWR1Y2VTdW0qDwoIa2VlcGRpbXMYAaABAhIBdCoRCAEQB0IBYUoIAQAAAAAAAABaFAoBeBIPCg0IARIJCgMSAU4KAggCYhQKAXkSDwoNCAESCQoDEgFOCgIIAUIECgAQEQ==",
  logOfFirst:
    "CAg6jQEKFgoBeAoBcwoBZQoBYRIBZiIFU2xpY2UKCwoBZhIBeSIDTG9nEgF0KhEIARAHQgFzSggAAAAAAAAAACoRCAEQB0IBZUoIAQAAAAAAAAAqEQgBEAdCAWFKCAEAAAAAAAAAWhQKAXgSDwoNCAESCQoDEgFOCgIIAmIUCgF5Eg8KDQgBEgkKAxIBTgoCCAFCBAoAEBE=",
  throws:
    "CAg6mAEKEgoBeAoBcxIBciIHUmVzaGFwZQolCgFyCgFhEgF5IglSZWR1Y2VTdW0qDwoIa2VlcGRpbXMYAaABAhIBdCoZCAIQB0IBc0oQBwAAAAAAAAD//////////yoRCAEQB0IBYUoIAQAAAAAAAABaFAoBeBIPCg0IARIJCgMSAU4KAggCYhQKAXkSDwoNCAESCQoDEgFOCgIIAUIECgAQEQ==",
  endless:
    "CAg6/QEKhwEKAAoBdAoBeBIBbCIETG9vcCp0CgRib2R5MmkKFAoEY29uZBICYzIiCElkZW50aXR5CgwKAXYSAnYyIgNTaW4SAWJaCwoBaRIGCgQIBxIAWg4KBGNvbmQSBgoECAkSAFoJCgF2EgQKAggBYgwKAmMyEgYKBAgJEgBiCgoCdjISBAoCCAGgAQUKJQoBbAoBYRIBeSIJUmVkdWNlU3VtKg8KCGtlZXBkaW1zGAGgAQISAXQqCBAJQgF0SgEBKhEIARAHQgFhSggBAAAAAAAAAFoUCgF4Eg8KDQgBEgkKAxIBTgoCCAJiFAoBeRIPCg0IARIJCgMSAU4KAggBQgQKABAR",
  turned:
    "CAgSADpRCiAKAXgSAXkiCVRyYW5zcG9zZSoNCgRwZXJtQAFAAKABBxIBYVoUCgF4Eg8KDQgBEgkKAxIBTgoCCAJiFAoBeRIPCg0IARIJCgIIAgoDEgFOQgQKABAR",
  half: "CAgSADpIChcKAXgSAXkiBENhc3QqCQoCdG8YCqABAhIBYVoUCgF4Eg8KDQgBEgkKAxIBTgoCCAJiFAoBeRIPCg0IChIJCgMSAU4KAggCQgQKABAR",
  outside:
    "CAg6fQoOCgF4CgFXEgF5IgNBZGQSAWEqPAgCEAFCAVdqFwoIbG9jYXRpb24SC3dlaWdodHMuYmluagsKBm9mZnNldBIBMGoLCgZsZW5ndGgSAThwAVoUCgF4Eg8KDQgBEgkKAxIBTgoCCAJiFAoBeRIPCg0IARIJCgMSAU4KAggCQgQKABAR",
  one: "CAgSADpmCiUKAXgKAWESAXkiCVJlZHVjZVN1bSoPCghrZWVwZGltcxgBoAECEgAqEQgBEAdCAWFKCAEAAAAAAAAAWhMKAXgSDgoMCAESCAoCCAEKAggCYhMKAXkSDgoMCAESCAoCCAEKAggBQgQKABAR",
  oneSqueezed: "CAgSADo5Cg8KAXgSAXkiB1NxdWVlemUSAFoTCgF4Eg4KDAgBEggKAggBCgIIAmIPCgF5EgoKCAgBEgQKAggCQgQKABAR",
  four: "CAgSADpmCiUKAXgKAWESAXkiCVJlZHVjZVN1bSoPCghrZWVwZGltcxgBoAECEgAqEQgBEAdCAWFKCAEAAAAAAAAAWhMKAXgSDgoMCAESCAoCCAQKAggCYhMKAXkSDgoMCAESCAoCCAQKAggBQgQKABAR",
  double:
    "CAgSADpoCiUKAXgKAWESAXkiCVJlZHVjZVN1bSoPCghrZWVwZGltcxgBoAECEgAqEQgBEAdCAWFKCAEAAAAAAAAAWhQKAXgSDwoNCAsSCQoDEgFOCgIIAmIUCgF5Eg8KDQgLEgkKAxIBTgoCCAFCBAoAEBE=",
  whole:
    "CAgSADpoCiUKAXgKAWESAXkiCVJlZHVjZVN1bSoPCghrZWVwZGltcxgBoAECEgAqEQgBEAdCAWFKCAEAAAAAAAAAWhQKAXgSDwoNCAcSCQoDEgFOCgIIAmIUCgF5Eg8KDQgHEgkKAxIBTgoCCAFCBAoAEBE=",
  zipMap:
    "CAgSADq2AQolCgF4CgFhEgF5IglSZWR1Y2VTdW0qDwoIa2VlcGRpbXMYAaABAgo3CgF4EgFwIgZaaXBNYXAqGwoSY2xhc3NsYWJlbHNfaW50NjRzQABAAaABBzoKYWkub25ueC5tbBIAKhEIARAHQgFhSggBAAAAAAAAAFoUCgF4Eg8KDQgBEgkKAxIBTgoCCAJiFAoBeRIPCg0IARIJCgMSAU4KAggBYhMKAXASDiIMCgoqCAgHEgQKAggBQgQKABARQg4KCmFpLm9ubngubWwQAQ==",
} as const;

type Told = z.input<typeof manifestSchema>;

/** Writes a model that is given the alerts' magnitude and snr, or what `told` says instead. */
export async function writeTiny(folder: string, name: string, of: keyof typeof TINY, told: Partial<Told> = {}) {
  const model = Buffer.from(TINY[of], "base64");
  const manifest: Told = {
    name,
    version: "1",
    licence: "CC0-1.0",
    description: "For tests.",
    trainedOn: "nothing",
    quality: {},
    sha256: createHash("sha256").update(model).digest("hex"),
    surveys: ["ZTF"],
    inputs: [{ tensor: "x", kind: "values", columns: ["magnitude", "snr"], missing: "skip" }],
    outputs: [{ tensor: "y", names: ["y"] }],
    state: "active",
    ...told,
  };
  const path = join(folder, `${name}-${manifest.version}`);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "model.onnx"), model);
  await writeFile(join(path, "manifest.json"), JSON.stringify(manifest));
  return path;
}
