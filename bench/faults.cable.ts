// A TCP cable that can be cut or stalled, and the one address before several nodes. Used by the benchmark of faults.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Connections go to the targets in turn, and to the next one where nobody listens. */
export class Cable {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #server: Server | null = null;
  #turn = 0;
  #state: "whole" | "cut" | "stalled" = "whole";

  constructor(readonly targets: readonly number[]) {}

  /** Listen on a free port of 127.0.0.1. */
  async open(): Promise<number> {
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections end, and new ones end as soon as they are made. */
  cut(): void {
    this.#state = "cut";
    for (const pair of this.#pairs) for (const end of pair) end.destroy();
  }

  /** Connections stay, and nothing comes through. */
  stall(): void {
    this.#state = "stalled";
    for (const [a, b] of this.#pairs) {
      a.unpipe(b).pause();
      b.unpipe(a).pause();
    }
  }

  mend(): void {
    const stalled = this.#state === "stalled";
    this.#state = "whole";
    if (stalled) for (const [a, b] of this.#pairs) a.pipe(b).pipe(a);
  }

  close(): void {
    this.cut();
    this.#server?.close();
  }

  #accept(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    if (this.#state === "cut") socket.destroy();
    else this.#join(socket, this.#turn++, this.targets.length);
  }

  #join(socket: Socket, turn: number, tries: number): void {
    if (tries === 0 || socket.destroyed) return void socket.destroy();
    const target = connect(this.targets[turn % this.targets.length]!, "127.0.0.1");
    const refused = (): void => this.#join(socket, turn + 1, tries - 1);
    target.once("error", refused).once("connect", () => {
      target.off("error", refused).on("error", () => target.destroy());
      const pair = [socket, target] as const;
      this.#pairs.add(pair);
      for (const end of pair) {
        end.once("close", () => {
          for (const other of pair) other.destroy();
          this.#pairs.delete(pair);
        });
      }
      if (this.#state === "cut" || socket.destroyed) for (const end of pair) end.destroy();
      else if (this.#state === "whole") socket.pipe(target).pipe(socket);
    });
  }
}
