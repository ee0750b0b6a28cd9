// The files of deploy/, docker-compose.yml and the Dockerfile as far as they can be checked where no engine runs them:
// they parse, fit Kubernetes' own schemas, refer to what exists, and name only settings that Tocsin knows.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { describeSettings, readSettings } from "../cli/settings.js";
import { python, pythonHas } from "./python.js";

const ROOT = resolve(import.meta.dirname, "..");
const KUBERNETES = join(ROOT, "deploy/kubernetes");

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: its shape is what the schemas check
  readonly [field: string]: any;
}

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
// biome-ignore lint/suspicious/noExplicitAny: files of many shapes
const yamlOf = (text: string): any[] =>
  parseAllDocuments(text, { merge: true }).map((document) => {
    expect([...document.errors, ...document.warnings]).toEqual([]);
    return document.toJS();
  });
const below = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path));

const yamlFiles = ["docker-compose.yml", ...below("deploy").filter((path) => /\.ya?ml$/.test(path))];
const kustomizations = yamlFiles.filter((path) => path.endsWith("/kustomization.yaml"));
const manifestFiles = yamlFiles.filter(
  (path) => path.startsWith("deploy/kubernetes/") && !/(kustomization|\.patch)\.yaml$/.test(path),
);
const manifests: Manifest[] = manifestFiles.flatMap((path) => yamlOf(read(path)));
const ofKind = (kind: string): Manifest[] => manifests.filter((manifest) => manifest.kind === kind);
const isKeda = ({ apiVersion }: Manifest): boolean => apiVersion.startsWith("keda.sh/");

it.each(yamlFiles)("%s parses", (path) => {
  expect(yamlOf(read(path)).length).toBeGreaterThan(0);
});

describe.each(kustomizations)("%s", (path) => {
  const [{ resources = [], components = [], patches = [] }] = yamlOf(read(path));
  const named: string[] = [
    ...resources,
    ...components,
    ...patches.flatMap((patch: { path?: string }) => patch.path ?? []),
  ];

  it("refers to what exists", () => {
    for (const name of named) expect(existsSync(join(ROOT, dirname(path), name)), name).toBe(true);
  });

  it("forgets no file of its folder", () => {
    const files = readdirSync(join(ROOT, dirname(path))).filter((name) => name !== "kustomization.yaml");
    expect(files.filter((name) => !named.includes(name))).toEqual([]);
  });
});

/** What the schema of each manifest's kind says against it. */
const faults = (against: readonly Manifest[]): string[] =>
  python<string[]>(
    `
import kubernetes_validate
faults = []
for manifest in input:
    name = manifest["kind"] + " " + manifest["metadata"]["name"]
    try:
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as error:
        faults.append(name + ": " + error.message)
    except kubernetes_validate.SchemaNotFoundError as error:
        faults.append(name + ": " + error.message)
print(json.dumps(faults))`,
    against,
  );

describe.skipIf(!pythonHas("kubernetes_validate"))(
  "with the schemas of Kubernetes (Python: kubernetes-validate)",
  () => {
    it("every manifest fits", () => {
      expect(manifests.length).toBeGreaterThan(15);
      expect(faults(manifests.filter((manifest) => !isKeda(manifest)))).toEqual([]);
    });

    it("a wrong field is found", () => {
      const [deployment] = ofKind("Deployment");
      expect(faults([{ ...deployment!, spec: { ...deployment!.spec, replica: 2 } }])).toHaveLength(1);
    });

    const kubectl = spawnSync("kubectl", ["kustomize", "--help"]).error === undefined;
    it.skipIf(!kubectl).each(["observatory", "broker"])("overlay %s builds (kubectl), and fits", (overlay) => {
      const built: Manifest[] = yamlOf(
        execFileSync("kubectl", ["kustomize", join(KUBERNETES, "overlays", overlay)], { encoding: "utf8" }),
      );
      expect(faults(built.filter((manifest) => !isKeda(manifest)))).toEqual([]);
      for (const manifest of built.filter(isKeda)) KEDA[manifest.kind]!.parse(manifest);
      const scalers = built.filter(({ kind }) => kind === "HorizontalPodAutoscaler" || kind === "ScaledObject");
      expect(scalers.map(({ spec }) => spec.scaleTargetRef.name).sort()).toEqual(["api", "worker"]);
    });
  },
);

const metadata = z.looseObject({ name: z.string() });
/** The parts of KEDA's definitions that are used here; values of a trigger are text, numbers included. */
const KEDA: Readonly<Record<string, z.ZodType>> = {
  ScaledObject: z.strictObject({
    apiVersion: z.literal("keda.sh/v1alpha1"),
    kind: z.literal("ScaledObject"),
    metadata,
    spec: z.strictObject({
      scaleTargetRef: z.strictObject({ name: z.string() }),
      minReplicaCount: z.int().min(0),
      maxReplicaCount: z.int().min(1),
      pollingInterval: z.int().min(1),
      fallback: z.strictObject({ failureThreshold: z.int().min(1), replicas: z.int().min(1) }),
      advanced: z.strictObject({ horizontalPodAutoscalerConfig: z.strictObject({ behavior: z.looseObject({}) }) }),
      triggers: z
        .array(
          z.strictObject({
            type: z.literal("kafka"),
            metadata: z.strictObject({
              bootstrapServers: z.string().regex(/^[\w.-]+:\d+(,[\w.-]+:\d+)*$/),
              consumerGroup: z.string(),
              lagThreshold: z.string().regex(/^\d+$/),
              offsetResetPolicy: z.enum(["earliest", "latest"]),
              allowIdleConsumers: z.enum(["true", "false"]),
              version: z.string().regex(/^\d+\.\d+\.\d+$/),
              sasl: z.enum(["plaintext", "scram_sha256", "scram_sha512"]).optional(),
              tls: z.enum(["enable", "disable"]).optional(),
            }),
            authenticationRef: z.strictObject({ name: z.string() }).optional(),
          }),
        )
        .min(1),
    }),
  }),
  TriggerAuthentication: z.strictObject({
    apiVersion: z.literal("keda.sh/v1alpha1"),
    kind: z.literal("TriggerAuthentication"),
    metadata,
    spec: z.strictObject({
      secretTargetRef: z.array(z.strictObject({ parameter: z.string(), name: z.string(), key: z.string() })).min(1),
    }),
  }),
};

it("manifests of KEDA have its fields", () => {
  const found = manifests.filter(isKeda);
  expect(found.map(({ kind }) => kind).sort()).toEqual(["ScaledObject", "TriggerAuthentication"]);
  for (const manifest of found) KEDA[manifest.kind]!.parse(manifest);
});

describe("on Kubernetes", () => {
  const roles = { api: "serve", worker: "ingest" };

  it.each(Object.entries(roles))(
    "%s runs as %s with no rights, with probes, and asks for what it needs",
    (name, role) => {
      const { template } = ofKind("Deployment").find((found) => found.metadata.name === name)!.spec;
      const [container] = template.spec.containers;
      expect(container.env).toEqual([{ name: "TOCSIN_ROLE", value: role }]);
      expect(template.spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(container.livenessProbe.httpGet.path).toBe("/health");
      expect(container.readinessProbe.httpGet.path).toBe("/ready");
      expect(container.resources.requests).toMatchObject({ cpu: expect.any(String), memory: expect.any(String) });
    },
  );

  it("everything that selects pods finds some", () => {
    const pods = ofKind("Deployment").map(({ spec }) => spec.template.metadata.labels);
    const selectors = [
      ...ofKind("Deployment").map(({ spec }) => spec.selector.matchLabels),
      ...ofKind("Service").map(({ spec }) => spec.selector),
      ...ofKind("PodDisruptionBudget").map(({ spec }) => spec.selector.matchLabels),
      ...ofKind("NetworkPolicy").map(({ spec }) => spec.podSelector.matchLabels ?? {}),
    ];
    for (const selector of selectors) {
      expect(pods.some((labels) => Object.entries(selector).every(([key, value]) => labels[key] === value))).toBe(true);
    }
  });

  it("what is not named is denied", () => {
    expect(ofKind("NetworkPolicy").map(({ spec }) => spec)).toContainEqual({
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
    });
  });

  it("no secret is in the files", () => {
    expect(ofKind("Secret")).toEqual([]);
  });
});

describe("settings", () => {
  const known = new Set([...describeSettings().map(({ name }) => name), "NODE_ENV"]);
  const secrets = { TOCSIN_TOKEN: "0123456789abcdef", CLICKHOUSE_PASSWORD: "x", NEO4J_PASSWORD: "x", KAFKA_USER: "x" };
  const configMaps = yamlFiles
    .filter((path) => path.includes("configmap"))
    .map((path) => [path, yamlOf(read(path))[0].data as Record<string, string>] as const);

  it.each(configMaps)("%s names settings that there are, with values that can be used", (_path, data) => {
    expect(Object.keys(data).filter((name) => !known.has(name))).toEqual([]);
    const base = configMaps.find(([path]) => path.includes("/base/"))![1];
    expect(() => readSettings({ ...base, ...data, ...secrets, TOCSIN_ROLE: "ingest" })).not.toThrow();
  });

  it("docker-compose.yml and the Dockerfile name settings that there are", () => {
    const { api, worker } = yamlOf(read("docker-compose.yml"))[0].services;
    const given = [api, worker].flatMap(({ environment }) => Object.keys(environment));
    const image = [...(/^ENV (.*)$/m.exec(read("Dockerfile"))?.[1] ?? "").matchAll(/(\w+)=/g)].map(([, name]) => name!);
    expect(image.length).toBeGreaterThan(0);
    expect([...given, ...image].filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("docker-compose.yml", () => {
  const text = read("docker-compose.yml");
  const [{ services, volumes }] = yamlOf(text);
  // biome-ignore lint/suspicious/noExplicitAny: as written
  const each: [string, any][] = Object.entries(services);

  it.each(each)("%s is pinned and looked after, and what it needs is there", (_name, service) => {
    expect(service.image).toMatch(/:v?\d+\.\d+/);
    if (service.build === undefined) expect(service.healthcheck.test).toBeDefined();
    for (const needed of Object.keys(service.depends_on ?? {})) expect(services).toHaveProperty(needed);
    for (const volume of service.volumes ?? []) {
      const [source] = volume.split(":");
      if (source.startsWith(".")) expect(existsSync(join(ROOT, source)), source).toBe(true);
      else expect(volumes).toHaveProperty(source);
    }
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it("has no password, and .env.example has every variable", () => {
    const example = new Set([...read(".env.example").matchAll(/^#?([A-Z0-9_]+)=/gm)].map(([, name]) => name));
    const variables = [...text.matchAll(/\$\{([A-Z0-9_]+)(:[?-])?/g)].map(([, name, how]) => ({ name: name!, how }));
    expect(variables.filter(({ name }) => !example.has(name))).toEqual([]);
    for (const { name, how } of variables) {
      const optional = name === "KAFKA_PASSWORD";
      if (/PASSWORD|TOKEN/.test(name) && !optional) expect([name, how]).toEqual([name, ":?"]);
    }
    // Each comes from a variable.
    for (const [, value] of text.matchAll(/^ +\w*(?:PASSWORD|TOKEN|AUTH): *(.*)$/gm))
      expect(value).toMatch(/^(neo4j\/)?\$\{/);
    expect(read(".env.example")).not.toMatch(/^\w*(PASSWORD|TOKEN)=\S/m);
  });
});

describe("Dockerfile", () => {
  it("is pinned, and does not run as root", () => {
    const text = read("Dockerfile");
    expect(text).toMatch(/^ARG NODE=node:20\.\d+\.\d+-bookworm-slim$/m);
    for (const [, image] of text.matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/^\$\{NODE\}$/);
    expect(text).toMatch(/^USER 1000:1000$/m);
    expect(text).toMatch(/^HEALTHCHECK /m);
  });

  it("is given every folder that is built, and no .env", () => {
    const { include } = JSON.parse(read("tsconfig.build.json")) as { include: string[] };
    const kept = read(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    expect(kept).toEqual(expect.arrayContaining(include));
    expect(read(".dockerignore").split("\n")[1]).toBe("*");
    expect(kept.some((pattern) => pattern.includes(".env"))).toBe(false);
  });
});
