/**
 * Builds: what a committee signs when it says which code a commit of a repository is, how the contract stores what is
 * bound, and the one spelling of a source under which it is found. The contract does the same in
 * `contract/assembly/builds.ts` and `sources.ts`.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { MAX_ATTESTATIONS, MAX_NAME_BYTES, MAX_URL_BYTES } from "../limits.ts";
import type { Decoded } from "./borsh.ts";
import { bytes, encode, fixed, height, list, option, struct, text, u8, u16, u32, u64, u128 } from "./borsh.ts";
import { accountId, type CodeSource } from "./records.ts";

export const BUILD_DOMAIN = "outlayer/build-attestation/v1";
const SOURCE_DOMAIN = "outlayer/source/v1";
/** `b` ‖ {@link sourceHash} → {@link BuildRecord}. */
export const BUILD_PREFIX = 0x62;

const hash = fixed(32);
const name = text(MAX_NAME_BYTES);
/** A tree's name in git: sha-1 or sha-256. */
const treeHash = bytes(32);

/** What else a builder saw: compared and kept by nodes, so the contract knows its hash alone. */
const buildDetails = struct({ treeHash, lockfileHash: option(hash), sizeBytes: u32 });
export type BuildDetails = Decoded<typeof buildDetails>;

export function buildDetailsHash(details: BuildDetails): Uint8Array {
  return sha256(encode(buildDetails, details));
}

/**
 * Repository, commit and target are in the request, whose digest is signed. Up to the holder the fields are those of a
 * result's statement, so that two statements about one request and lease are found to contradict each other alike.
 */
export const buildStatement = struct({
  domain: name,
  chainId: name,
  contractId: accountId,
  requestId: height,
  requestDigest: hash,
  leaseEpoch: u32,
  holder: accountId,
  codeHash: hash,
  seed: hash,
  detailsHash: hash,
  recipeId: hash,
});
export type BuildStatement = Decoded<typeof buildStatement>;

/** The 32 bytes that ed25519 signs. */
export function buildStatementDigest(statement: BuildStatement): Uint8Array {
  return sha256(encode(buildStatement, statement));
}

/** `quorum` 65,535: signed by the highest level. */
export const buildRecord = struct({
  version: u8,
  codeHash: hash,
  recipeId: hash,
  detailsHash: hash,
  requestId: u64,
  quorum: u16,
  boundHeight: height,
  payer: accountId,
  depositYocto: u128,
  signers: list(accountId, MAX_ATTESTATIONS),
});
export type BuildRecord = Decoded<typeof buildRecord>;

export interface CanonicalSource {
  /** `owner/repository`, in small letters. */
  readonly repository: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  readonly target: string;
}

const canonicalSource = struct({ domain: name, repository: text(MAX_URL_BYTES), commit: name, target: name });
const HOST = /^(?:(?:https:\/\/)?(?:www\.)?github\.com\/|git@github\.com:)?/;
const REPOSITORY = /^[a-z0-9][a-z0-9-]{0,38}\/[a-z0-9._][a-z0-9._-]{0,99}$/;
const UNFIT = /\/\.+$|\.git$|\.wiki$/;
const COMMIT = /^[0-9a-f]{40}$/;

function lowered(ascii: string): string {
  return ascii.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Undefined for a branch or a tag, which can move, for other hosts, and for code that is named by its hash. */
export function canonicalSourceOf(source: CodeSource): CanonicalSource | undefined {
  if (source.kind !== "GitHub") return undefined;
  const repository = lowered(source.repo)
    .replace(HOST, "")
    .replace(/\/$/, "")
    .replace(/\.git$/, "");
  const commit = lowered(source.commit);
  if (!REPOSITORY.test(repository) || UNFIT.test(repository) || !COMMIT.test(commit)) return undefined;
  const target = source.buildTarget;
  return {
    repository,
    commit,
    target: target === undefined || target === "wasm32-wasi" ? "wasm32-wasip1" : target,
  };
}

/** The name under which a source's build is bound. */
export function sourceHash(source: CanonicalSource): Uint8Array {
  return sha256(encode(canonicalSource, { domain: SOURCE_DOMAIN, ...source }));
}
