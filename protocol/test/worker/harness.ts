/**
 * One worker machine among three named peers, with real keys and a chain that the test tells. Effects are read as
 * short lines, so that a test is a script that a person can follow.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { drawAll } from "../../src/lease/sortition.ts";
import { Random } from "../../src/random.ts";
import { asVerified, type MessageOf, type PeerMessage, type ResultClaim } from "../../src/wire/messages.ts";
import {
  type LeaseRecord,
  type NodeRecord,
  type ProposalRecord,
  type RequestRecord,
  requestDigest,
  responseHash,
} from "../../src/wire/records.ts";
import { REPLAY_CLASS_PURE, RESULT_DOMAIN, statementDigest } from "../../src/wire/statement.ts";
import type {
  LogRecord,
  RequestOnChain,
  Submission,
  WorkerEffect,
  WorkerEvent,
  WorkSubject,
} from "../../src/worker/events.ts";
import { WorkerMachine } from "../../src/worker/worker-machine.ts";

export const CONTRACT_ID = "outlayer.test";
export const CHAIN_ID = "test";
export const OPENED = 100;
export const ACCOUNTS = ["alice.test", "bob.test", "carol.test", "dave.test"] as const;

const PRIVATE_HEADER = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_HEADER = Buffer.from("302a300506032b6570032100", "hex");

interface Identity {
  readonly key: KeyObject;
  readonly publicKey: Uint8Array;
}

const identities = new Map<string, Identity>(
  ACCOUNTS.map((accountId) => {
    const seed = new Random(new TextEncoder().encode(accountId)).bytes(32);
    const key = createPrivateKey({ key: Buffer.concat([PRIVATE_HEADER, seed]), format: "der", type: "pkcs8" });
    const spki = createPublicKey(key).export({ format: "der", type: "spki" });
    return [accountId, { key, publicKey: new Uint8Array(spki.subarray(PUBLIC_HEADER.length)) }];
  }),
);

export function publicKeyOf(accountId: string): Uint8Array {
  return identities.get(accountId)!.publicKey;
}

export function signAs(accountId: string, digest: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, digest, identities.get(accountId)!.key));
}

function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_HEADER, publicKey]), format: "der", type: "spki" });
  return verify(null, message, key, signature);
}

export function nodeRecordOf(accountId: string, seats = 1): NodeRecord {
  return {
    accountId,
    publicKey: publicKeyOf(accountId),
    stakeYocto: 1n,
    epoch: 0,
    seatsPrevious: 0,
    seatsCurrent: seats,
    seatsNext: seats,
    draining: false,
    registeredHeight: 10,
  };
}

export function requestRecordOf(change: Partial<RequestRecord> = {}): RequestRecord {
  const fill = (byte: number) => new Uint8Array(32).fill(byte);
  return {
    version: 1,
    requestId: 7,
    predecessorId: "app.test",
    signerId: "user.test",
    payerId: "app.test",
    source: { kind: "WasmUrl", url: "ipfs://code", hash: fill(1), buildTarget: undefined },
    projectId: undefined,
    // Long enough that claim and answer are two transactions; fused.test.ts has short ones.
    maxInstructions: 10_000_000_000n,
    maxMemoryMb: 16,
    maxExecutionSeconds: 1,
    compileOnly: false,
    forceRebuild: false,
    responseFormat: 1,
    secrets: undefined,
    input: new Uint8Array([1, 2, 3]),
    inputHash: fill(2),
    seed: fill(3),
    paymentYocto: 10n,
    attachedUsd: 0n,
    height: OPENED,
    timestampNs: 1n,
    deadlineHeight: OPENED + 190,
    stakeEpoch: 0,
    seatsTotal: ACCOUNTS.length,
    costVersion: 1,
    level: { replaySeats: 9, replicas: 3, quorum: 2 },
    dataId: fill(4),
    ...change,
  };
}

const nodes = ACCOUNTS.map((accountId) => nodeRecordOf(accountId));

/** Accounts in the order of their lease tickets: the first one's turn is first. */
export function leaseOrder(record: RequestRecord, leaseEpoch = 0): string[] {
  return drawAll(CONTRACT_ID, record, { kind: "lease", leaseEpoch }, nodes).map((draw) => draw.accountId);
}

/** Accounts other than `holder` in the order of their replay tickets. */
export function replayOrder(record: RequestRecord, holder: string): string[] {
  const draws = drawAll(CONTRACT_ID, record, { kind: "replay" }, nodes).map((draw) => draw.accountId);
  return draws.filter((accountId) => accountId !== holder);
}

export function leaseOf(record: RequestRecord, holder: string, change: Partial<LeaseRecord> = {}): LeaseRecord {
  const leaseEpoch = change.leaseEpoch ?? 0;
  const draws = drawAll(CONTRACT_ID, record, { kind: "lease", leaseEpoch }, nodes);
  const draw = draws.find((candidate) => candidate.accountId === holder)!;
  return {
    leaseEpoch,
    holder,
    seat: draw.seat,
    ticket: draw.ticket,
    claimedHeight: OPENED + 2,
    untilHeight: OPENED + 12,
    former: [],
    ...change,
  };
}

/** What everybody finds who runs the guest of a request of {@link requestRecordOf} that prints `42` for 5 fuel. */
export const FOUND: ResultClaim = {
  codeHash: new Uint8Array(32).fill(1),
  responseHash: responseHash({
    success: true,
    output: { kind: "Text", text: "42" },
    error: undefined,
    instructions: 5n,
    timeMs: 0n,
    compileTimeMs: undefined,
    compilationNote: undefined,
    refundUsd: undefined,
  }),
  tapeHash: new Uint8Array(32),
};

/** An answer of the holder and others that waits until `finalHeight`, with the hash of a response that need not be its own. */
export function proposalOf(signers: readonly string[], finalHeight: number, responseHash: Uint8Array): ProposalRecord {
  return {
    responseHash,
    finalHeight,
    outcome: {
      leaseEpoch: 0,
      holder: signers[0]!,
      codeHash: FOUND.codeHash,
      response: {
        success: true,
        output: { kind: "Text", text: "42" },
        error: undefined,
        instructions: 5n,
        timeMs: 0n,
        compileTimeMs: undefined,
        compilationNote: undefined,
        refundUsd: undefined,
      },
      tapeHash: FOUND.tapeHash,
      attestations: signers.map((accountId) => ({ accountId, seat: 0, signature: new Uint8Array(64) })),
      resolvedHeight: OPENED + 5,
      chargedYocto: 1n,
    },
  };
}

type Spoken = { [K in PeerMessage["kind"]]: Omit<MessageOf<K>, "requestDigest"> }[PeerMessage["kind"]];

export class Harness {
  readonly self: string;
  readonly log = new Map<string, Uint8Array>();
  machine: WorkerMachine;
  readonly #records = new Map<number, RequestRecord>();
  /** Every effect since the start. */
  readonly effects: WorkerEffect[] = [];

  constructor(self: string, log: readonly LogRecord[] = []) {
    this.self = self;
    for (const { key, value } of log) if (value) this.log.set(key, value);
    this.machine = this.#boot();
  }

  #boot(): WorkerMachine {
    const machine = new WorkerMachine({
      accountId: this.self,
      publicKey: publicKeyOf(this.self),
      network: { chainId: CHAIN_ID, contractId: CONTRACT_ID },
      random: new Random(new TextEncoder().encode(`machine of ${this.self}`)),
      verify: verifyEd25519,
    });
    machine.step(0, { kind: "restored", records: [...this.log].map(([key, value]) => ({ key, value })) });
    return machine;
  }

  /** The process ends and starts again with its log. */
  restart(): void {
    this.machine = this.#boot();
  }

  /** Hears of a chain that has no request and, unless `registered` is false, all four nodes. */
  sync(registered = true): string[] {
    const before = this.feed({ kind: "contractRead", height: OPENED - 1, nodes: [], requests: [] });
    const known = registered ? nodes.flatMap((node) => this.feed({ kind: "nodeChanged", node })) : [];
    return [...before, ...known];
  }

  /** Reads the whole contract: all four nodes and these requests. */
  read(height: number, ...requests: (Pick<RequestOnChain, "record"> & Partial<RequestOnChain>)[]): string[] {
    const nothing = { lease: undefined, outcome: undefined, proposal: undefined, objected: false };
    const complete = requests.map((request) => ({ ...nothing, ...request }));
    return this.feed({ kind: "contractRead", height, nodes, requests: complete });
  }

  /** One event, its effects carried out as far as a driver does that at once, and all of them as lines. */
  feed(event: WorkerEvent): string[] {
    const lines: string[] = [];
    if (event.kind === "requestOpened") this.#records.set(event.record.requestId, event.record);
    if (event.kind === "contractRead") {
      for (const { record } of event.requests) this.#records.set(record.requestId, record);
    }
    for (const effect of this.machine.step(0, event)) {
      this.effects.push(effect);
      lines.push(describe(effect));
      if (effect.kind === "persist") {
        for (const { key, value } of effect.records) {
          if (value) this.log.set(key, value);
          else this.log.delete(key);
        }
      } else if (effect.kind === "sign") {
        const { requestId, leaseEpoch, digest } = effect;
        lines.push(...this.feed({ kind: "signed", requestId, leaseEpoch, signature: signAs(this.self, digest) }));
      }
    }
    return lines.filter((line) => !line.startsWith("progress"));
  }

  /** A message about the request that this node knows under its number, or about `record`. */
  hear(sender: string, spoken: Spoken, record = this.#records.get(spoken.requestId)): string[] {
    const message = { ...spoken, requestDigest: record ? requestDigest(record) : new Uint8Array(32) } as PeerMessage;
    return this.feed({ kind: "messageReceived", from: asVerified(sender, publicKeyOf(sender), message) });
  }

  /** Runs the guest: its code is there and it prints `stdout`. */
  runGuest(requestId: number, stdout: string): string[] {
    const subject = this.subjectOf(requestId);
    const fetched = this.feed({ kind: "codeFetched", ...subject });
    const outcome = {
      kind: "exited",
      exitCode: 0,
      stdout: new TextEncoder().encode(stdout),
      stderr: new Uint8Array(),
      fuel: 5n,
      memoryPages: 1,
      memoryDigest: new Uint8Array(32),
    } as const;
    return [...fetched, ...this.feed({ kind: "executed", ...subject, outcome })];
  }

  /** What work for the request that this node knows under a number is about. */
  subjectOf(requestId: number): WorkSubject {
    return { requestId, requestDigest: requestDigest(this.#records.get(requestId)!) };
  }

  /** The last message of a kind that this machine sent, to anybody. */
  lastSent<K extends PeerMessage["kind"]>(kind: K): Extract<PeerMessage, { kind: K }> {
    for (const effect of this.effects.toReversed()) {
      if ((effect.kind === "send" || effect.kind === "publish") && effect.message.kind === kind) {
        return effect.message as Extract<PeerMessage, { kind: K }>;
      }
    }
    throw new Error(`no ${kind} was sent`);
  }
}

/** The attestation signature of `accountId` over a claim, as the contract and every peer check it. */
export function attest(accountId: string, record: RequestRecord, lease: LeaseRecord, claim: ResultClaim): Uint8Array {
  const digest = statementDigest({
    domain: RESULT_DOMAIN,
    chainId: CHAIN_ID,
    contractId: CONTRACT_ID,
    requestId: record.requestId,
    requestDigest: requestDigest(record),
    leaseEpoch: lease.leaseEpoch,
    holder: lease.holder,
    codeHash: claim.codeHash,
    replayClass: REPLAY_CLASS_PURE,
    costVersion: record.costVersion,
    inputHash: record.inputHash,
    seed: record.seed,
    responseHash: claim.responseHash,
    tapeHash: claim.tapeHash,
  });
  return signAs(accountId, digest);
}

function nameOf(publicKey: Uint8Array): string {
  return ACCOUNTS.find((accountId) => Buffer.from(publicKeyOf(accountId)).equals(publicKey)) ?? "?";
}

function leaseEpochOf(submission: Submission): number[] {
  return "leaseEpoch" in submission ? [submission.leaseEpoch] : [];
}

function describe(effect: WorkerEffect): string {
  switch (effect.kind) {
    case "persist":
      return `persist ${effect.records.map(({ key, value }) => (value ? key : `-${key}`)).join(" ")}`;
    case "publish":
      return `publish ${effect.message.kind}`;
    case "send":
      return `send ${effect.message.kind} to ${nameOf(effect.to)}`;
    case "setTimer":
      return `setTimer ${effect.timer} ${effect.delayMs}`;
    case "submit":
      return ["submit", effect.submission.purpose, ...leaseEpochOf(effect.submission)].join(" ");
    case "reject":
      return `reject ${effect.rejection.code}`;
    case "progress":
      return `progress ${effect.stage}`;
    default:
      return effect.kind;
  }
}
