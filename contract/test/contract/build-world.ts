/** Signed builds of a request in a world, as a node that built its source would make them. */
import { sign } from "node:crypto";
import { decode } from "@outlayer/protocol/wire/borsh";
import {
  BUILD_DOMAIN,
  type BuildRecord,
  type BuildStatement,
  buildDetailsHash,
  buildRecord,
  buildStatementDigest,
  canonicalSourceOf,
} from "@outlayer/protocol/wire/builds";
import { requestDigest } from "@outlayer/protocol/wire/records";
import { type Attestation, type AttestedBuild, bindBuildArgs, stateKeys } from "../../client/index.ts";
import { CHAIN_ID, CODE_HASH, expectOk, keyOf, NODES, OUTLAYER, type World } from "./world.ts";

export const RECIPE = new Uint8Array(32).fill(0x11);
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** A source that can be built: a whole commit. */
export const REPOSITORY = { GitHub: { repo: "https://github.com/near/guest", commit: COMMIT } } as const;
const DETAILS = buildDetailsHash({ treeHash: new Uint8Array(20).fill(7), lockfileHash: undefined, sizeBytes: 26_000 });

export interface Built {
  readonly requestId?: number;
  readonly codeHash?: Uint8Array;
  readonly recipeId?: Uint8Array;
  readonly detailsHash?: Uint8Array;
  readonly signers?: readonly string[];
  /** Seats that every signer names, from its first on. */
  readonly seats?: number;
  readonly chainId?: string;
}

/** What a node signs, from the chain's records. */
export function statementOf(world: World, built: Built): BuildStatement {
  const requestId = built.requestId ?? 0;
  const request = world.request(requestId)!;
  const { leaseEpoch, holder } = world.lease(requestId)!;
  return {
    domain: BUILD_DOMAIN,
    chainId: built.chainId ?? CHAIN_ID,
    contractId: OUTLAYER,
    requestId,
    requestDigest: requestDigest(request),
    leaseEpoch,
    holder,
    codeHash: built.codeHash ?? CODE_HASH,
    seed: request.seed,
    detailsHash: built.detailsHash ?? DETAILS,
    recipeId: built.recipeId ?? RECIPE,
  };
}

export function attestedBuild(world: World, built: Built = {}): AttestedBuild {
  const statement = statementOf(world, built);
  const digest = buildStatementDigest(statement);
  const attestations: Attestation[] = (built.signers ?? NODES.slice(0, 3)).flatMap((accountId) => {
    const signature = new Uint8Array(sign(null, digest, keyOf(accountId).privateKey));
    return Array.from({ length: built.seats ?? 1 }, (_, seat) => ({ accountId, seat, signature }));
  });
  const { leaseEpoch, holder, codeHash, recipeId, detailsHash } = statement;
  return { leaseEpoch, holder, codeHash, recipeId, detailsHash, attestations };
}

export function buildArgs(world: World, built: Built = {}): string {
  return bindBuildArgs(built.requestId ?? 0, attestedBuild(world, built));
}

/** What the contract keeps for a source. */
export function storedBuild(world: World, repo: string = REPOSITORY.GitHub.repo): BuildRecord | undefined {
  const canonical = canonicalSourceOf({ kind: "GitHub", repo, commit: COMMIT, buildTarget: undefined })!;
  const bytes = world.stored(stateKeys.build(canonical));
  return bytes === undefined ? undefined : decode(buildRecord, bytes);
}

/** An epoch of the keystore with these members and shares, attested by all of them. */
export function activateKeystore(world: World, members: readonly (readonly [account: string, shares: number])[]): void {
  const bytes = (length: number) => Buffer.alloc(length, 1).toString("base64");
  const total = members.reduce((sum, [, shares]) => sum + shares, 0);
  const epoch = {
    members: members.map(([account_id, shares]) => ({ account_id, shares, encryption_key: bytes(48) })),
    threshold: total - Math.floor((total - 1) / 3),
    deal_blocks: 5,
    complaint_blocks: 5,
    attest_blocks: 1_000,
  };
  expectOk(world.call("owner.test", "open_epoch", JSON.stringify(epoch)));
  world.advance(12);
  const attestation = { transcript_hash: bytes(32), master_public_key: bytes(96), own_public_key: bytes(96) };
  const number = Number(world.view("get_keystore_epoch").match(/"epoch":(\d+)/)![1]);
  for (const [account] of members) {
    expectOk(world.call(account, "attest", JSON.stringify({ epoch: number, ...attestation })));
  }
}
