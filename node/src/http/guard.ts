/**
 * Who may talk to the local server. It listens on this machine, but every web page that its user visits can send
 * requests there: so a name that an attacker points at 127.0.0.1 (DNS rebinding) is refused by its Host header, other
 * sites' scripts by Fetch Metadata (W3C), and whatever changes something needs the bearer token.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { ApiError } from "./api-error.ts";

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);
const EVERY_INTERFACE: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Headers of every answer. The page runs its own files only, and text can never become script. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** @throws ApiError foreign_host */
export function requireOwnHost(hostHeader: string | undefined, configuredHost: string): void {
  const name = hostName(hostHeader);
  if (name !== undefined) {
    if (LOOPBACK_NAMES.has(name) || name === bracketed(configuredHost.toLowerCase())) return;
    // A literal address cannot be rebound, and a node that listens everywhere is meant to be reached by one.
    if (EVERY_INTERFACE.has(configuredHost) && isIP(name.replace(/^\[|\]$/g, "")) !== 0) return;
  }
  throw new ApiError(
    "foreign_host",
    "This server answers to localhost, 127.0.0.1, [::1] and its configured host only.",
  );
}

/**
 * Keeps other sites' scripts from the API: without CORS they could read nothing, but they could hold its listeners.
 * Links that a person follows stay allowed.
 * @throws ApiError foreign_origin
 */
export function requireOwnOrigin(headers: Headers): void {
  const site = headers.get("sec-fetch-site");
  if (site === null || site === "same-origin" || site === "none") return;
  if (headers.get("sec-fetch-mode") === "navigate") return;
  throw new ApiError(
    "foreign_origin",
    "The API serves the node's own page and programs, not the pages of other sites.",
  );
}

/**
 * Compares digests, so that neither the token's content nor its length shows in the time taken.
 * @throws ApiError unauthorized
 */
export function requireToken(authorization: string | undefined, token: string): void {
  const given = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? "")?.[1];
  if (given !== undefined && timingSafeEqual(sha256(given), sha256(token))) return;
  throw new ApiError("unauthorized", "This call needs the node's token: Authorization: Bearer <token>.", {
    "www-authenticate": "Bearer",
  });
}

/** A literal IPv6 address stands in brackets in a URL and in a Host header (RFC 3986, section 3.2.2). */
export function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

function hostName(header: string | undefined): string | undefined {
  const match = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/i.exec(header ?? "");
  return match?.[1]?.toLowerCase();
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
