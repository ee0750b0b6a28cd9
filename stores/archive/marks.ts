// MarkRegistry on ClickHouse: the last state of every mark, followed by asking how many states there are. Made by stores.ts.
import pLimit from "p-limit";
import type { Block } from "../../domain/columns.js";
import type { Mark, MarkKind, MarkState } from "../../domain/mark.js";
import { following } from "../following.js";
import type { MarkEvent, MarkRegistry } from "../marks.store.js";
import { outsideRequests } from "../request.js";
import { bigints, blockOf, counts, eachRow, numbers, signed, strings, texts } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

/** Between two looks at the number of states. */
const FOLLOW_MS = 1_000;
const COLUMNS = "id, changedAt, kind, name, scope, isShared, state, revision, details";

/** What no statement asks by. */
type Details = Pick<Mark, "content" | "description" | "size" | "fraction" | "skymap" | "pastFromJd" | "createdAt">;

export class ArchiveMarks implements MarkRegistry {
  readonly #listeners = new Set<() => void>();
  /** A save and a look never overlap: what was read is never older than what was saved. */
  readonly #serially = pLimit(1);
  #marks: readonly Mark[] = [];
  /** Rows of the table when it was read; two processes that save at once both raise it. */
  #seen = "";

  constructor(private readonly client: ArchiveClient) {}

  all(): readonly Mark[] {
    return this.#marks;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  refresh(): Promise<void> {
    return this.#serially(() => this.#read());
  }

  save(mark: Mark): Promise<Mark> {
    return this.#serially(async () => {
      // Events are in the order of their times, also where the clock was set back.
      const last = this.#marks.find(({ id }) => id === mark.id)?.changedAt ?? 0;
      const saved = { ...mark, changedAt: Math.max(Date.now(), last + 1) };
      await this.client.insert("mark_states", rowOf(saved));
      await this.#read();
      const others = this.#marks.filter(({ id }) => id !== saved.id);
      const told = this.#marks.find(({ id }) => id === saved.id)?.changedAt;
      // A replica that has not heard of it was asked; the next look finds it there.
      if (saved.state === "REMOVED" ? told !== undefined : told !== saved.changedAt) {
        this.#tell(saved.state === "REMOVED" ? others : [...others, saved]);
      }
      return saved;
    });
  }

  async stateWith(content: string): Promise<Mark | null> {
    const block = await this.client.query(
      `SELECT ${COLUMNS} FROM mark_states WHERE JSONExtractString(details, 'content') = {content:String}
      ORDER BY changedAt DESC LIMIT 1`,
      { content },
    );
    return marksOf(block)[0] ?? null;
  }

  async events(after: { changedAt: number; id: string } | null, first: number): Promise<MarkEvent[]> {
    const { changedAt, id } = after ?? { changedAt: -1, id: "" };
    const block = await this.client.query(
      `SELECT ${COLUMNS} FROM mark_states
      WHERE changedAt > {changedAt:Int64} OR (changedAt = {changedAt:Int64} AND id > {id:String})
      ORDER BY changedAt, id LIMIT 1 BY changedAt, id LIMIT {first:UInt32}`,
      { changedAt: BigInt(changedAt), id, first },
    );
    return marksOf(block);
  }

  follow(): () => void {
    return following(() => this.refresh(), FOLLOW_MS);
  }

  async #read(): Promise<void> {
    const [seen] = strings(
      await this.client.query(
        "SELECT concat(toString(uniqExact(id, changedAt)), ' ', toString(max(changedAt))) AS seen FROM mark_states",
      ),
      "seen",
    );
    if (seen === this.#seen) return;
    const block = await this.client.query(
      `SELECT ${COLUMNS} FROM (SELECT * FROM mark_states ORDER BY id, changedAt DESC LIMIT 1 BY id)
      WHERE state != 'REMOVED' ORDER BY name, id`,
    );
    this.#seen = seen!;
    this.#tell(marksOf(block));
  }

  #tell(marks: readonly Mark[]): void {
    this.#marks = marks;
    // What follows a change does not end with the request that made it.
    for (const listener of this.#listeners) outsideRequests(listener);
  }
}

function rowOf(mark: Mark): Block {
  const { content, description, size, fraction, skymap, pastFromJd, createdAt } = mark;
  const details: Details = { content, description, size, fraction, skymap, pastFromJd, createdAt };
  return blockOf(1, {
    id: texts([mark.id]),
    changedAt: signed(BigInt64Array.of(BigInt(mark.changedAt))),
    kind: texts([mark.kind]),
    name: texts([mark.name]),
    scope: texts([mark.scope]),
    isShared: { type: "Bool", values: Uint8Array.of(Number(mark.isShared)), nulls: null },
    state: texts([mark.state]),
    revision: counts(Uint32Array.of(mark.revision)),
    details: texts([JSON.stringify(details)]),
  });
}

function marksOf(block: Block): Mark[] {
  const text = (name: string) => strings(block, name);
  const [id, kind, name, scope, state, details] = ["id", "kind", "name", "scope", "state", "details"].map(text);
  const [changedAt, isShared, revision] = [
    bigints(block, "changedAt"),
    numbers(block, "isShared"),
    numbers(block, "revision"),
  ];
  return eachRow(block, (row) => ({
    ...(JSON.parse(details![row]!) as Details),
    id: id![row]!,
    changedAt: Number(changedAt[row]),
    kind: kind![row] as MarkKind,
    name: name![row]!,
    scope: scope![row]!,
    isShared: isShared[row] === 1,
    state: state![row] as MarkState,
    revision: revision[row]!,
  }));
}
