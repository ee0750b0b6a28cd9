// Who is counted: the owner on this machine, a token, or an address. Called for every request and socket.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP, isIPv6 } from "node:net";
import type { Viewer } from "../domain/viewer.js";
import type { ViewerOf } from "./auth.js";

export interface Caller {
  readonly viewer: Viewer;
  /** Callers with one key share one quota. */
  readonly key: string;
  /** "local" is the owner on a service that listens on loopback: it has no quota. */
  readonly kind: "local" | "token" | "address";
}

/** The key of the owner on this machine. */
export const LOCAL = "local";

export interface Callers {
  /** Throws NOT_ALLOWED where the token is wrong. */
  of(request: IncomingMessage, authorization: string | undefined): Caller;
  /** The key of the request's address, whoever it is from. */
  addressKey(request: IncomingMessage): string;
}

export function createCallers(viewerOf: ViewerOf, trustedProxies: number): Callers {
  const addressKey = (request: IncomingMessage) => `address ${network(clientAddress(request, trustedProxies))}`;
  return {
    addressKey,
    of(request, authorization) {
      const viewer = viewerOf(request, authorization);
      if (authorization !== undefined) {
        const digest = createHash("sha256").update(authorization.trim().replace(/^bearer +/i, ""));
        return { viewer, key: `token ${digest.digest("base64url").slice(0, 22)}`, kind: "token" };
      }
      if (viewer.mayChange) return { viewer, key: LOCAL, kind: "local" };
      return { viewer, key: addressKey(request), kind: "address" };
    },
  };
}

/**
 * The peer's address, or what the outermost of the trusted proxies saw: each appends the address of its own peer, so
 * only the last entries are theirs and anything before may be invented.
 */
function clientAddress(request: IncomingMessage, trustedProxies: number): string {
  const peer = request.socket.remoteAddress ?? "";
  if (trustedProxies === 0) return peer;
  const told = [request.headers["x-forwarded-for"] ?? ""].flat().join(",").split(",");
  const entry = (told.at(-trustedProxies) ?? "").trim();
  return isIP(entry) === 0 ? peer : entry;
}

/** An IPv4 address; of IPv6 the first 64 bits, since whoever has one such address has all of them. */
export function network(address: string): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.replace(/%.*$/, "").split("::");
  const groups = head === "" ? [] : head.split(":");
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  const all = [...groups, ...Array.from({ length: missing }, () => "0"), ...(tail ? tail.split(":") : [])];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
