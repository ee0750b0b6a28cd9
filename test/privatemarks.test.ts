// A filter that reads a private watch list finds what lies at its positions: text, hits, annotations and corrections of it are
// for those who may see the list, by every door.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Caller, caller } from "./callers.js";
import { startCursor } from "./follower.js";
import { LAST_CANDID, lastFile, PUBLIC, publicFile } from "./rights.world.js";
import { startTestService, type TestService } from "./service.js";
import { until } from "./until.js";

const FORWARDED = { "x-forwarded-for": "203.0.113.7" };
/** None of them is in the alerts. */
const SECRETS = ["secret", "hiddentarget", "150.2501", "earlier"];
const LIST = (ra: number) => `mutation { putWatchList(input: { name: "secret", radiusArcsec: 5,
  positions: [{ name: "hiddentarget", ra: ${ra}, dec: ${PUBLIC.mixedPlace.dec} }] }) { name } }`;
const SHARED = (position: string) => `mutation { putWatchList(input: { name: "known", isShared: true,
  positions: [{ name: "${position}", ra: ${PUBLIC.mixedPlace.ra}, dec: ${PUBLIC.mixedPlace.dec} }] }) { name } }`;
const NEAR = PUBLIC.mixedPlace.ra + 0.0001;
const FAR = PUBLIC.mixedPlace.ra + 1;
const LIVE = `subscription ($f: [ID!]!, $after: String) { filterHits(filterIds: $f, after: $after) {
  filterId annotations alert { candid } } }`;

let service: TestService;
let stranger: Caller;
/** By name. */
const filters: Record<string, string> = {};
/** Follows a filter that is open when it begins. */
let following: ReturnType<Caller["subscribe"]>;

type Ask = <T>(query: string, variables?: object) => Promise<T>;
const asStranger: Ask = (query, variables) => service.ask(query, variables, FORWARDED);
const asOwner: Ask = (query, variables) => service.ask(query, variables);
async function made(name: string, where: string, annotation = "magpsf"): Promise<void> {
  const annotations = [{ name: "a", expression: annotation }];
  const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
    "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }",
    { input: { name, survey: "ZTF", where, annotations } },
  );
  filters[name] = createFilter.id;
}
const ingest = async (name: string, bytes: Buffer) => {
  const path = join(service.dataDir, name);
  await writeFile(path, bytes);
  await service.ingest(path);
};
const update = (name: string, where: string) =>
  service.ask("mutation ($id: ID!, $input: UpdateFilterInput!) { updateFilter(id: $id, input: $input) { id } }", {
    id: filters[name],
    input: { where },
  });
const changeList = (input: string, name = "secret") =>
  service.ask(`mutation { changeMark(kind: WATCH_LIST, name: "${name}", input: ${input}) { name } }`);

beforeAll(async () => {
  service = await startTestService();
  stranger = caller(service.url, FORWARDED);
  await service.ask(LIST(NEAR));
  await service.ask(SHARED("one"));
  await made("annotated", "magpsf < 30", "nearest(watch.secret, ra)");
  await made("before", "watch.secret");
  await update("before", "magpsf < 30");
  await made("listed", "has(watch.secret, separationArcsec < 5)");
  await made("open", "magpsf < 30");
  await made("turning", "magpsf < 30");
  const after = await startCursor(service.url, [filters.turning!]);
  following = stranger.subscribe(LIVE, { f: [filters.turning, filters.open], after });
  await ingest("public.avro", publicFile());
  await until("hits of open filters", () => following.results.length === 6);
});
afterAll(async () => {
  await following?.stop();
  await service?.close();
});

const ALL = (after: string | null) => `{ filters(first: 1, after: ${JSON.stringify(after)}) {
  edges { node { name version { where annotations { expression } } versions { where } hitsPerNight { hits } } }
  pageInfo { hasNextPage endCursor } } }`;

interface Page {
  readonly edges: { node: { name: string } }[];
  readonly pageInfo: { hasNextPage: boolean; endCursor: string };
}

/** Page by page. */
async function names(ask: Ask): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | null = null; ; ) {
    const page: Page = (await ask<{ filters: Page }>(ALL(after))).filters;
    found.push(...page.edges.map(({ node }) => node.name));
    if (!page.pageInfo.hasNextPage) return found;
    after = page.pageInfo.endCursor;
  }
}

const PRIVATE = ["annotated", "before", "listed"];
const OPEN = ["open", "turning"];
const HITS = "query ($ids: [ID!]!) { hits(filterIds: $ids, first: 50) { edges { node { filterId annotations } } } }";
const hitsOf = async (ask: Ask, name: string) => {
  const { hits } = await ask<{ hits: { edges: unknown[] } }>(HITS, { ids: [filters[name]] });
  return hits.edges.length;
};
const FILTER = "query ($id: ID!) { filter(id: $id) { name versions { where } } }";

async function expectHidden(hidden: readonly string[], open: readonly string[]): Promise<void> {
  expect(await names(asStranger)).toEqual([...open].sort());
  expect(await names(asOwner)).toEqual([...hidden, ...open].sort());
  for (const name of hidden) {
    expect(await asStranger(FILTER, { id: filters[name] })).toEqual({ filter: null });
    // As of one that there is not.
    await expect(asStranger(HITS, { ids: ["nobody"] })).rejects.toThrow('There is no filter "nobody"');
    const refused = asStranger(HITS, { ids: [filters.open, filters[name]] });
    await expect(refused).rejects.toThrow(`There is no filter "${filters[name]}"`);
    expect(await hitsOf(asOwner, name)).toBeGreaterThan(0);
    const replay = stranger.subscribe(LIVE, { f: [filters[name]], after: null });
    await until("a refusal", () => replay.results.length > 0);
    await replay.stop();
    expect(replay.results.join()).toContain("UNKNOWN_FILTER");
  }
  for (const name of open) expect(await hitsOf(asStranger, name)).toBeGreaterThan(0);
}

test("for others there is no such filter", async () => {
  await expectHidden(PRIVATE, OPEN);
});

test("a shared list's filters are everybody's, until it is shared no more, has another name or is gone", async () => {
  await changeList("{ isShared: true }");
  await expectHidden([], [...PRIVATE, ...OPEN]);
  await changeList("{ isShared: false }");
  await expectHidden(PRIVATE, OPEN);
  await changeList(`{ name: "earlier" }`);
  await expectHidden(PRIVATE, OPEN);
  await changeList(`{ name: "secret" }`, "earlier");
});

test("others hear nothing of hits that a changed list withdraws", async () => {
  const query = `{ corrections(where: { what: [HIT_ADDED, HIT_WITHDRAWN] }) {
    edges { node { what filterId source objectId } } pageInfo { hasNextPage endCursor } } }`;
  const corrections = (ask: Ask) => ask<{ corrections: { edges: unknown[]; pageInfo: object } }>(query);
  const listen = (of: Caller) => {
    const after = "subscription ($after: String) { objectChanged(after: $after) { what filterId source } }";
    return of.subscribe(after, { after: begin });
  };
  const begin = ((await corrections(asOwner)).corrections.pageInfo as { endCursor: string }).endCursor;
  const [owner, other] = [listen(caller(service.url)), listen(stranger)];
  await service.ask(LIST(FAR));
  await until("a withdrawal", () => owner.results.some((text) => text.includes(filters.listed!)));
  expect((await corrections(asOwner)).corrections.edges.length).toBeGreaterThan(0);
  // Of all that is told, which the other one has been told, too.
  await service.ask(SHARED("two"));
  await until("a change of what is shared", () => other.results.some((text) => text.includes("watch.known")));
  expect((await corrections(asStranger)).corrections.edges).toEqual([]);
  expect(other.results.join()).not.toContain(filters.listed);
  await Promise.all([owner.stop(), other.stop()]);
});

test("who follows a filter that begins to read a private list hears no more of it", async () => {
  await update("turning", "magpsf < 30 or watch.secret");
  await ingest("last.avro", lastFile());
  const last = () => following.results.filter((text) => text.includes(LAST_CANDID) || text.includes("UNKNOWN_FILTER"));
  await until("the last hits", () => last().length === 2);
  expect(last().filter((text) => text.includes(LAST_CANDID))).toEqual([expect.stringContaining(filters.open!)]);
  await expectHidden([...PRIVATE, "turning"], ["open"]);
});

test("a list that is gone leaves its filters to who may change them", async () => {
  await service.ask(`mutation { removeMark(kind: WATCH_LIST, name: "secret") { name } }`);
  await expectHidden([...PRIVATE, "turning"], ["open"]);
  const told = Buffer.concat(stranger.heard).toString();
  expect(SECRETS.filter((secret) => told.includes(secret))).toEqual([]);
});
