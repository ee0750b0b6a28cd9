// PostgreSQL as the other side of a benchmark: a cluster of its own in a temporary folder, and one connection that speaks
// just enough of its protocol (version 3, text values). Used by cone.bench.ts and lightcurve.bench.ts.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A service on one machine as a careful owner would set it up; no JIT: it costs these queries 100 ms and more. */
const SETTINGS = {
  jit: "off",
  shared_buffers: "1GB",
  work_mem: "64MB",
  maintenance_work_mem: "1GB",
  effective_cache_size: "8GB",
  max_wal_size: "8GB",
  random_page_cost: "1.1",
  fsync: "off",
  autovacuum: "off",
  listen_addresses: "",
};

export type Row = Record<string, string | null>;

export interface Postgres {
  /** "PostgreSQL 15.14" */
  readonly version: string;
  /** Processes that work for this connection. */
  readonly pids: readonly number[];
  /** Rows of a statement that is prepared at its first use; $1 … take the values. */
  query(sql: string, values?: readonly string[]): Promise<Row[]>;
  /** Lines of COPY's text format into a table. */
  copy(table: string, lines: string): Promise<void>;
  stop(): Promise<void>;
}

/** The cluster, or the reason why there is none. */
export async function startPostgres(extension: string | null): Promise<Postgres | string> {
  const programs = programFolder();
  if (programs === null) return "PostgreSQL is not installed (Debian: postgresql-15 and postgresql-15-q3c)";
  if (extension !== null && !existsSync(join(extensionFolder(programs), `${extension}.control`))) {
    return `PostgreSQL has no extension ${extension} (Debian: postgresql-15-${extension})`;
  }
  const folder = mkdtempSync(join(tmpdir(), "tocsin-postgres-"));
  // The server refuses to run as root.
  const user = process.getuid?.() === 0 ? userIds("postgres") : null;
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  execFileSync(join(programs, "initdb"), ["-D", data, "-U", "bench", "--auth=trust", "--no-sync", "-E", "UTF8"], {
    ...user,
    cwd: folder,
    stdio: "ignore",
  });
  const options = Object.entries({ ...SETTINGS, unix_socket_directories: folder }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  const server = spawn(join(programs, "postgres"), ["-D", data, ...options], { ...user, cwd: folder, stdio: "ignore" });
  const exited = once(server, "exit");
  const stop = async (): Promise<void> => {
    server.kill("SIGINT");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const connection = await Connection.open(join(folder, ".s.PGSQL.5432"));
    const [about] = await connection.query(
      "SELECT 'PostgreSQL ' || current_setting('server_version') AS version, pg_backend_pid() AS pid",
    );
    if (extension !== null) await connection.query(`CREATE EXTENSION ${extension}`);
    return {
      version: about!.version!.split(" (")[0]!,
      pids: [Number(about!.pid), server.pid!],
      query: (sql, values) => connection.query(sql, values),
      copy: (table, lines) => connection.copy(table, lines),
      stop: async () => {
        connection.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function programFolder(): string | null {
  const root = "/usr/lib/postgresql";
  const newest = existsSync(root) ? readdirSync(root).sort().at(-1) : undefined;
  const folder = newest === undefined ? null : join(root, newest, "bin");
  return folder !== null && existsSync(join(folder, "postgres")) ? folder : null;
}
const extensionFolder = (programs: string): string =>
  join(execFileSync(join(programs, "pg_config"), ["--sharedir"], { encoding: "utf8" }).trim(), "extension");
function userIds(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

class Connection {
  readonly #prepared = new Map<string, { name: string; columns: string[] }>();
  #received: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};
  #closed: (error: Error) => void = () => {};

  private constructor(private readonly socket: Socket) {
    socket.on("close", () => this.#closed(new Error("PostgreSQL closed the connection.")));
    socket.on("data", (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
  }

  static async open(path: string): Promise<Connection> {
    for (const deadline = Date.now() + 30_000; ; await delay(50)) {
      const socket = connect(path);
      try {
        await once(socket, "connect");
        const connection = new Connection(socket);
        const startup = Buffer.from("\0\x03\0\0user\0bench\0database\0postgres\0\0", "latin1");
        socket.write(Buffer.concat([int32(startup.length + 4), startup]));
        await connection.#untilReady();
        return connection;
      } catch (error) {
        socket.destroy();
        if (Date.now() > deadline) throw error;
      }
    }
  }

  close(): void {
    this.socket.destroy();
  }

  async query(sql: string, values: readonly string[] = []): Promise<Row[]> {
    let statement = this.#prepared.get(sql);
    const messages: Buffer[] = [];
    if (statement === undefined) {
      statement = { name: `s${this.#prepared.size}`, columns: [] };
      this.#prepared.set(sql, statement);
      messages.push(message("P", `${statement.name}\0${sql}\0\0\0`), message("D", `S${statement.name}\0`));
    }
    const bound = values.map((value) => {
      const bytes = Buffer.from(value);
      return Buffer.concat([int32(bytes.length), bytes]);
    });
    messages.push(
      message("B", Buffer.concat([Buffer.from(`\0${statement.name}\0\0\0`), int16(values.length), ...bound, int16(0)])),
      message("E", "\0\0\0\0\0"),
      message("S", ""),
    );
    this.socket.write(Buffer.concat(messages));
    return this.#untilReady(statement.columns);
  }

  async copy(table: string, lines: string): Promise<void> {
    this.socket.write(
      Buffer.concat([message("Q", `COPY ${table} FROM STDIN\0`), message("d", lines), message("c", "")]),
    );
    await this.#untilReady();
  }

  /** Rows until ReadyForQuery. `columns` are filled from a description and name the values. */
  async #untilReady(columns: string[] = []): Promise<Row[]> {
    const rows: Row[] = [];
    let at = 0;
    let failure: Error | null = null;
    for (;;) {
      const bytes = this.#received;
      const length = at + 5 > bytes.length ? Number.POSITIVE_INFINITY : bytes.readInt32BE(at + 1);
      if (at + 1 + length > bytes.length) {
        this.#received = bytes.subarray(at);
        at = 0;
        await new Promise<void>((resolve, reject) => {
          this.#wake = resolve;
          this.#closed = reject;
        });
        continue;
      }
      const kind = bytes[at]!;
      if (kind === 0x44) rows.push(readRow(bytes, at + 5, columns));
      else if (kind === 0x54) columns.splice(0, columns.length, ...readColumns(bytes, at + 5));
      else if (kind === 0x45)
        failure = new Error(bytes.toString("utf8", at + 5, at + 1 + length).replaceAll("\0", " "));
      at += 1 + length;
      if (kind === 0x5a) {
        this.#received = bytes.subarray(at);
        if (failure !== null) throw failure;
        return rows;
      }
    }
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
function message(kind: string, body: string | Buffer): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  return Buffer.concat([Buffer.from(kind), int32(bytes.length + 4), bytes]);
}

function readColumns(bytes: Buffer, start: number): string[] {
  let at = start + 2;
  return Array.from({ length: bytes.readInt16BE(start) }, () => {
    const end = bytes.indexOf(0, at);
    const name = bytes.toString("utf8", at, end);
    at = end + 19;
    return name;
  });
}

function readRow(bytes: Buffer, start: number, columns: readonly string[]): Row {
  const row: Row = {};
  let at = start + 2;
  for (const column of columns) {
    const length = bytes.readInt32BE(at);
    row[column] = length < 0 ? null : bytes.toString("latin1", at + 4, at + 4 + length);
    at += 4 + Math.max(0, length);
  }
  return row;
}
