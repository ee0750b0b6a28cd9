// How many sockets each caller has open. Before connection_init a socket is its address's, then whoever's token it names.
// Used by websocket.ts.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { TocsinError } from "../domain/errors.js";
import type { ServerLimits } from "./bounds.js";
import type { Caller, Callers } from "./caller.js";
import { Seats } from "./seats.js";

export class SocketSeats {
  readonly #seats = new Seats();
  readonly #keys = new WeakMap<IncomingMessage, string>();

  constructor(
    readonly callers: Callers,
    readonly limits: Pick<ServerLimits, "address" | "token">,
  ) {}

  /** At the upgrade; the seat is given back when the connection closes. Throws TOO_MANY_SUBSCRIPTIONS. */
  open(request: IncomingMessage, raw: Duplex): void {
    const caller = this.#provisional(request);
    if (!this.#take(request, caller)) {
      const most = this.#most(caller);
      throw new TocsinError("TOO_MANY_SUBSCRIPTIONS", `You have ${most} sockets open, the most that you may.`);
    }
    raw.once("close", () => this.#seats.leave(this.#keys.get(request)!));
  }

  /** At connection_init: false where the caller has as many as it may; the connection must then be closed. */
  claim(request: IncomingMessage, caller: Caller): boolean {
    const before = this.#keys.get(request)!;
    if (before === caller.key) return true;
    if (!this.#take(request, caller)) return false;
    this.#seats.leave(before);
    return true;
  }

  #provisional(request: IncomingMessage): Pick<Caller, "key" | "kind"> {
    try {
      return this.callers.of(request, request.headers.authorization);
    } catch {
      // connection_init may still name the right token, and says what is wrong otherwise.
      return { kind: "address", key: this.callers.addressKey(request) };
    }
  }

  #take(request: IncomingMessage, caller: Pick<Caller, "key" | "kind">): boolean {
    const taken = this.#seats.take(caller.key, this.#most(caller));
    if (taken) this.#keys.set(request, caller.key);
    return taken;
  }

  #most({ kind }: Pick<Caller, "kind">): number {
    return kind === "local" ? 0 : this.limits[kind].sockets;
  }
}
