/** The worker's part in execution: who runs the guest when, and what counts as this node's one result. */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { COST_VERSION, type ExecutionOutcome } from "../execution/index.ts";
import { failure, jobOf, responseOf } from "../replay/response.ts";
import { encode } from "../wire/borsh.ts";
import { type GuestResponse, responseHash } from "../wire/records.ts";
import { mustCheck } from "./objecting.ts";
import { isActiveReplayer, leaseInForce, type OpenRequest, type OwnResult, ownResult } from "./request.ts";
import type { Scope } from "./scope.ts";

/** Blocks of a lease after which code that no peer has is a result: the caller learns why instead of waiting. */
const CODE_PATIENCE_BLOCKS = 5;
/** Replay class `pure` has no tape. */
const NO_TAPE = new Uint8Array(32);
/** The layout of {@link RequestRecord} that this version reads. */
const REQUEST_VERSION = 1;
const NO_CODE = new Uint8Array(32);

export const RESULT_KEY = "result/";

/** Starts the run where this node has to: as holder, as a claimant that need not wait for its lease, as replayer. */
export function considerWork(scope: Scope, open: OpenRequest): void {
  if (scope.abstains || open.outcome || (open.work.kind !== "idle" && open.work.kind !== "waiting")) return;
  const self = scope.config.accountId;
  const claims = open.claim !== undefined && (!open.lease || open.claim.leaseEpoch > open.lease.leaseEpoch);
  const holds = leaseInForce(open)?.holder === self;
  const works = open.proposal ? mustCheck(scope, open) : claims || holds || isActiveReplayer(open, self, scope.height);
  if (!works) return;

  const { source, version, costVersion, secrets } = open.record;
  if (version !== REQUEST_VERSION || costVersion !== COST_VERSION) {
    open.work = { kind: "faulted" };
    return scope.progress(
      open,
      "abandoned",
      `request version ${version}, cost version ${costVersion}: update this node`,
    );
  }
  if (secrets) {
    const codeHash = source.kind === "WasmUrl" ? source.hash : NO_CODE;
    return settle(scope, open, codeHash, failure("secrets are not available in this version of the network"));
  }
  if (source.kind === "GitHub") {
    return settle(
      scope,
      open,
      NO_CODE,
      failure("building from a repository is not available in this version: name the code by WasmUrl and hash"),
    );
  }
  open.work = { kind: "fetching" };
  const subject = { requestId: open.record.requestId, requestDigest: open.digest };
  scope.emit({ kind: "fetchCode", ...subject, codeHash: source.hash });
  scope.progress(open, "fetching");
}

export function onCodeFetched(scope: Scope, open: OpenRequest): void {
  const { source } = open.record;
  if (open.work.kind !== "fetching" || source.kind !== "WasmUrl") return;
  open.work = { kind: "running" };
  scope.progress(open, "fetched");
  scope.emit({
    kind: "execute",
    requestId: open.record.requestId,
    requestDigest: open.digest,
    codeHash: source.hash,
    compileOnly: open.record.compileOnly,
    job: jobOf(open.record, scope.config.network),
  });
  scope.progress(open, "running");
}

export function onCodeUnavailable(scope: Scope, open: OpenRequest): void {
  const { source } = open.record;
  // It can also be gone between the fetch and the run.
  if ((open.work.kind !== "fetching" && open.work.kind !== "running") || source.kind !== "WasmUrl") return;
  // An announced claim is too young to judge by: its holder claims on the chain where the code is slow to come.
  const waitedEnough = open.lease && scope.height >= open.lease.claimedHeight + CODE_PATIENCE_BLOCKS;
  if (!waitedEnough) {
    open.work = { kind: "waiting" };
    return;
  }
  settle(
    scope,
    open,
    source.hash,
    failure("the code is not available: no peer has bytes with the hash that the request names"),
  );
}

export function onExecuted(scope: Scope, open: OpenRequest, outcome: ExecutionOutcome): void {
  const { source } = open.record;
  if (open.work.kind !== "running" || source.kind !== "WasmUrl") return;
  settle(scope, open, source.hash, responseOf(open.record, outcome));
}

export function onExecutionFaulted(scope: Scope, open: OpenRequest, reason: string): void {
  if (open.work.kind !== "running" && open.work.kind !== "fetching") return;
  open.work = { kind: "faulted" };
  scope.progress(open, "abandoned", `this node cannot run the guest and abstains: ${reason}`);
}

/** The result is persisted before anything about it is said, so that a restart cannot lead to a second one. */
function settle(scope: Scope, open: OpenRequest, codeHash: Uint8Array, response: GuestResponse): void {
  const { requestId } = open.record;
  // The label ties the nonce to the request; the stream's seed is this process's own secret.
  const nonce = sha256(concatBytes(scope.config.random.bytes(32), open.digest));
  const claim = { codeHash, responseHash: responseHash(response), tapeHash: NO_TAPE };
  const result: OwnResult = { requestId, requestDigest: open.digest, response, claim, nonce };
  open.work = { kind: "done", result };
  scope.emit({ kind: "persist", records: [{ key: `${RESULT_KEY}${requestId}`, value: encode(ownResult, result) }] });
  scope.progress(open, "ran", response.success ? `${response.instructions} fuel` : (response.error ?? "failed"));
}
