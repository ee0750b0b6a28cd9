// Which web pages may talk to the service: the Host and Origin of every request and upgrade. Used by app.ts and cli/.
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { TocsinError } from "../domain/errors.js";

export interface HostSettings {
  /** Address that the service listens on. */
  readonly host: string;
  /** Further names (with or without a port) that may stand in Host. */
  readonly allowedHosts: readonly string[];
  /** Origins ("https://portal.example") whose pages may call from a browser. */
  readonly allowedOrigins: readonly string[];
}

/** localhost, 127.0.0.0/8 or ::1, as a setting, a Host header or a peer's address writes it. */
export function isLoopback(host: string): boolean {
  const plain = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/^::ffff:/, "");
  return plain === "localhost" || plain === "::1" || (isIP(plain) === 4 && plain.startsWith("127."));
}

/**
 * Throws FORBIDDEN_HOST. Two doors are shut: a foreign name that resolves to this machine (its page would count as
 * ours), and a page of another site that calls us from the browser of somebody with rights here.
 */
export function hostCheck(settings: HostSettings): (request: IncomingMessage) => void {
  const local = isLoopback(settings.host);
  // Beyond loopback nobody has rights without the token, which no page knows: any name will do unless some are named.
  const anyHost = !local && settings.allowedHosts.length === 0;
  const hosts = new Set(settings.allowedHosts.map((host) => host.toLowerCase()));
  const origins = new Set(settings.allowedOrigins.map((origin) => origin.toLowerCase()));

  return ({ headers }) => {
    const host = parseHost(headers.host);
    const known = host !== null && (anyHost || hosts.has(host.host) || hosts.has(host.hostname));
    if (host === null || !(known || (local && isLoopback(host.hostname)))) {
      throw forbidden(`Host ${show(headers.host)} is not a name of this service`, "ALLOWED_HOSTS");
    }
    const { origin } = headers;
    if (origin !== undefined) {
      if (sameHost(origin, host.host) || origins.has(origin.toLowerCase())) return;
      throw forbidden(`Pages of ${show(origin)} may not call this service`, "ALLOWED_ORIGINS");
    }
    // A page's <img> or <script> sends no Origin; browsers mark it all the same.
    const site = headers["sec-fetch-site"];
    if ((site === "cross-site" || site === "same-site") && headers["sec-fetch-mode"] !== "navigate") {
      throw forbidden("Pages of another site may not load from this service", "ALLOWED_ORIGINS");
    }
  };
}

function parseHost(header: string | undefined): { host: string; hostname: string } | null {
  if (header === undefined || !/^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(header)) return null;
  const host = header.toLowerCase();
  return { host, hostname: host.replace(/:\d+$/, "") };
}

function sameHost(origin: string, host: string): boolean {
  const match = /^https?:\/\/([^/]+)$/i.exec(origin);
  return match?.[1]?.toLowerCase() === host;
}

const show = (header: string | undefined) => JSON.stringify((header ?? "").slice(0, 100));

const forbidden = (message: string, setting: string) =>
  new TocsinError("FORBIDDEN_HOST", `${message}.`, {
    remedy: `Call the service by its own address, or name yours in the setting ${setting}.`,
  });
