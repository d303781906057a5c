/**
 * What contracts bring about on the chain with promises: accounts with keys and code, joint waiting, yields under a
 * name of their own, and how signatures look to a contract. The contracts are lists of host calls.
 */
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parsePublicKey, publicKeyBytes } from "../../devchain/codec/public-key.ts";
import { DevChain, type OutcomeStatus } from "../../devchain/index.ts";
import { DataSegment, type HostInvocation, hostCallModule } from "../../devchain/oracle/host-calls.ts";
import { callAlone } from "./fixtures/lone-call.ts";
import { compileProbe } from "./fixtures/probe.ts";
import { CHAIN_OPTIONS, NEAR, Wallet } from "./fixtures/wallet.ts";

const probe = await compileProbe();
const TERA = 1_000_000_000_000n;

function u128(data: DataSegment, value: bigint): bigint {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(value & ((1n << 64n) - 1n));
  bytes.writeBigUInt64LE(value >> 64n, 8);
  return data.add(bytes)[1];
}

/** Calls `main` of a contract that makes these host calls, and runs everything that comes of it. */
function run(invocations: HostInvocation[], data: DataSegment, blocks = 10) {
  const alice = new Wallet("alice.test");
  const chain = new DevChain({
    ...CHAIN_OPTIONS,
    accounts: [
      alice.genesis(),
      { accountId: "maker.test", balanceYocto: 100n * NEAR, code: hostCallModule(invocations, data, 0) },
      { accountId: "other.test", balanceYocto: 10n * NEAR, code: probe },
    ],
  });
  const hash = chain.submit(alice.call(chain, "maker.test", "main", new Uint8Array(), { gas: 300n * TERA }));
  for (let i = 0; i < blocks; i++) chain.produceBlock();
  const record = chain.transactions.transaction(hash)!;
  let status: OutcomeStatus = record.outcome.status;
  while (status.kind === "receipt") {
    const { id } = status;
    status = record.receiptOutcomes.find((outcome) => outcome.id === id)!.status;
  }
  return { chain, record, status };
}

test("a contract makes an account with money, a key and code, and the account answers", () => {
  const data = new DataSegment();
  const key = publicKeyBytes(parsePublicKey(new Wallet("someone").publicKey)!);
  const invocations: HostInvocation[] = [
    { name: "promise_batch_create", values: data.add("made.maker.test") },
    { name: "promise_batch_action_create_account", values: [0n] },
    { name: "promise_batch_action_transfer", values: [0n, u128(data, 5n * NEAR)] },
    { name: "promise_batch_action_add_key_with_full_access", values: [0n, ...data.add(key), 0n] },
    { name: "promise_batch_action_deploy_contract", values: [0n, ...data.add(probe)] },
    {
      name: "promise_batch_action_function_call",
      values: [0n, ...data.add("echo"), ...data.add("hello"), u128(data, 0n), 10n * TERA],
    },
    { name: "promise_return", values: [0n] },
  ];
  const { chain, status } = run(invocations, data);
  assert.equal(status.kind === "value" && Buffer.from(status.value).toString(), "hello");
  const state = chain.stateAt("optimistic");
  assert.is(state.get("account", "made.maker.test", "")!.amount, 5n * NEAR);
  assert.equal(state.get("code", "made.maker.test", ""), probe);
  assert.is(state.entries("accessKey", "made.maker.test").length, 1);
});

test("an account cannot be made under another's name: the money comes back", () => {
  const data = new DataSegment();
  const { chain, status } = run(
    [
      { name: "promise_batch_create", values: data.add("made.other.test") },
      { name: "promise_batch_action_create_account", values: [0n] },
      { name: "promise_batch_action_transfer", values: [0n, u128(data, 5n * NEAR)] },
      { name: "promise_return", values: [0n] },
    ],
    data,
  );
  assert.match(JSON.stringify(status), "CreateAccountNotAllowed");
  assert.is(chain.stateAt("optimistic").get("account", "maker.test", "")!.amount, 100n * NEAR);
});

test("promise_and: the callback sees every result in the order of the promises", () => {
  const data = new DataSegment();
  const call = (promise: bigint, method: string, args: string): HostInvocation => ({
    name: "promise_batch_action_function_call",
    values: [promise, ...data.add(method), ...data.add(args), u128(data, 0n), 10n * TERA],
  });
  const indices = Buffer.alloc(16);
  indices.writeBigUInt64LE(1n, 0);
  indices.writeBigUInt64LE(0n, 8);
  const { status } = run(
    [
      { name: "promise_batch_create", values: data.add("other.test") },
      call(0n, "fail", ""),
      { name: "promise_batch_create", values: data.add("other.test") },
      call(1n, "echo", "second"),
      { name: "promise_and", values: [data.add(indices)[1], 2n] },
      { name: "promise_batch_then", values: [2n, ...data.add("other.test")] },
      call(3n, "relayed", ""),
      { name: "promise_return", values: [3n] },
    ],
    data,
  );
  // `relayed` reports the first result: that of the promise named first, not of the one made first.
  assert.equal(status.kind === "value" && Buffer.from(status.value).toString(), "got second");
});

test("promise_yield_create_with_id: a taken name gives no promise, and a yield is resumed once", () => {
  const data = new DataSegment();
  const yieldId = data.add(new Uint8Array(32).fill(7));
  const create: HostInvocation = {
    name: "promise_yield_create_with_id",
    values: [...data.add("main"), ...data.add(""), u128(data, 0n), 10n * TERA, 0n, ...yieldId],
  };
  const resume: HostInvocation = {
    name: "promise_yield_resume_with_yield_id",
    values: [...yieldId, ...data.add("payload")],
  };
  // Resumed with nothing there; made; made again under a taken name; resumed; resumed again.
  const code = hostCallModule([resume, create, create, resume, resume], data);
  let exists = false;
  let waits = false;
  const outcome = callAlone(code, "main", undefined, {
    createYieldWithId: () => {
      if (exists) return undefined;
      exists = waits = true;
      return new Uint8Array(32);
    },
    resumeYieldWithId: () => {
      const waited = waits;
      waits = false;
      return waited;
    },
  });
  assert.is(outcome.failure, undefined);
  const answers = outcome.returned.kind === "value" ? Buffer.from(outcome.returned.value) : Buffer.alloc(0);
  const NO_PROMISE = (1n << 64n) - 1n;
  assert.equal(
    [0, 3, 4].map((index) => answers.readUInt32LE(8 * index)),
    [0, 1, 0],
  );
  assert.equal([answers.readBigUInt64LE(8), answers.readBigUInt64LE(16)], [0n, NO_PROMISE]);
});

/** The first result of a call list, as a number. */
function verdict(invocation: HostInvocation, data: DataSegment): bigint {
  const { failure, returned } = callAlone(hostCallModule([invocation], data));
  assert.is(failure, undefined);
  return returned.kind === "value" ? Buffer.from(returned.value).readBigUInt64LE(0) : -1n;
}

test("ecrecover and p256_verify take what the curves' own library signs, and nothing that was changed", () => {
  const secret = new Uint8Array(32).fill(9);
  const digest = new Uint8Array(32).fill(3);
  const recovered = secp256k1.sign(digest, secret, { prehash: false, format: "recovered" });
  for (const flip of [false, true]) {
    const hash = flip ? digest.map((byte, index) => (index === 0 ? byte ^ 1 : byte)) : digest;
    const data = new DataSegment();
    const values = [...data.add(hash), ...data.add(recovered.subarray(1)), BigInt(recovered[0]!), 1n, 0n];
    const read: HostInvocation[] = [
      { name: "ecrecover", values },
      { name: "read_register", values: [0n, 8n] },
    ];
    const { returned } = callAlone(hostCallModule(read, data, 72));
    const answer = returned.kind === "value" ? Buffer.from(returned.value) : Buffer.alloc(0);
    const key = secp256k1.getPublicKey(secret, false).subarray(1);
    assert.is(answer.readBigUInt64LE(0), 1n);
    assert.is(Buffer.compare(answer.subarray(8), key) === 0, !flip);
  }
  const signature = p256.sign(digest, secret, { prehash: false });
  const followed = (sizeBytes: number) => new Uint8Array(sizeBytes).fill(5).fill(3, 0, 32);
  for (const [message, expected] of [
    [digest, 1n],
    [new Uint8Array(32).fill(4), 0n],
    // Only as much of a digest counts as a field element holds, however long it is; too little of it is no digest.
    [followed(33), 1n],
    [followed(20_000), 1n],
    [digest.subarray(0, 15), 0n],
  ] as const) {
    const data = new DataSegment();
    const values = [...data.add(signature), ...data.add(message), ...data.add(p256.getPublicKey(secret))];
    assert.is(verdict({ name: "p256_verify", values }, data), expected);
  }
});

test.run();
