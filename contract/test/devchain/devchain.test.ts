/** The chain's own rules, in-process and on virtual time: receipts, money, keys, yields, determinism. */

import { actions, PublicKey as NearPublicKey, type PublicKey } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DevChain, type DevChainOptions, GAS_PRICE, TransactionCodecError } from "../../devchain/index.ts";
import { compileProbe } from "./fixtures/probe.ts";
import { failure, finalStatus, refusal, run } from "./fixtures/transactions.ts";
import { CHAIN_OPTIONS, NEAR, TERA, Wallet } from "./fixtures/wallet.ts";

const probe = await compileProbe();

function start(options: Partial<DevChainOptions> = {}) {
  const alice = new Wallet("alice.test");
  const bob = new Wallet("bob.test");
  const other = { accountId: "other.test", balanceYocto: 10n * NEAR, code: probe };
  const accounts = [alice.genesis(), { ...bob.genesis(), code: probe }, other];
  return { alice, bob, chain: new DevChain({ ...CHAIN_OPTIONS, accounts, ...options }) };
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const bytes = (value: string) => new Uint8Array(Buffer.from(value));
const balance = (chain: DevChain, accountId: string) =>
  chain.stateAt("optimistic").get("account", accountId, "")!.amount;

test("equal inputs give equal chains, another seed another one", () => {
  const build = (seed: string) => {
    const { chain, alice } = start({ seed });
    for (const value of ["a", "b"]) run(chain, alice.call(chain, "other.test", "set", bytes(value)));
    const seedOf = run(chain, alice.call(chain, "other.test", "seed"));
    return { head: chain.head, seed: finalStatus(seedOf) };
  };
  const first = build("one");
  assert.equal(build("one"), first);
  const second = build("two");
  assert.is.not(second.head.hash, first.head.hash);
  assert.not.equal(second.seed, first.seed);
});

test("a replay of the inputs gives the same blocks", () => {
  const { chain, alice } = start();
  const copy = start().chain;
  chain.onBlock((block, inputs) => assert.is(copy.replayBlock(inputs).hash, block.hash));
  run(chain, alice.call(chain, "bob.test", "relay", bytes("x")));
  run(chain, alice.call(chain, "other.test", "fail"));
  assert.equal(copy.head, chain.head);
});

test("no yocto appears or vanishes: what is gone was burnt", () => {
  const { chain, alice } = start();
  const total = () => ["alice.test", "bob.test", "other.test"].reduce((sum, id) => sum + balance(chain, id), 0n);
  for (const [receiver, method, args] of [
    ["other.test", "set", "x"],
    ["other.test", "fail", "x"],
    ["bob.test", "relay", "x"],
    ["bob.test", "relay", "fail"],
    ["other.test", "nothing", ""],
  ] as const) {
    const before = total();
    const record = run(chain, alice.call(chain, receiver, method, bytes(args), { deposit: 5n }));
    const burnt = [record.outcome, ...record.receiptOutcomes].reduce((sum, outcome) => sum + outcome.tokensBurnt, 0n);
    assert.is(before - total(), burnt, `${receiver} ${method} ${args}`);
  }
});

test("a transfer costs two receipts' and two transfers' fees at the block's gas price", () => {
  const { chain, alice } = start();
  const before = balance(chain, "alice.test");
  run(chain, alice.sign(chain, "bob.test", [actions.transfer(7n)]));
  // Sending and executing: 108,059,500,000 for the receipt and 115,123,062,500 for the transfer, each twice.
  assert.is(before - balance(chain, "alice.test"), 7n + 2n * (108_059_500_000n + 115_123_062_500n) * GAS_PRICE);
});

test("creating an account costs 0.007 NEAR beside its balance", () => {
  const { chain, alice } = start();
  const before = balance(chain, "alice.test");
  const record = run(chain, alice.sign(chain, "new.alice.test", [actions.createAccount(), actions.transfer(NEAR)]));
  assert.is(finalStatus(record).kind, "value");
  const execution = 7_200_000_000_000n;
  const others = 500_000_000_000n + 2n * (108_059_500_000n + 115_123_062_500n);
  const spent = before - balance(chain, "alice.test") - NEAR;
  assert.is(spent, others * GAS_PRICE + 7n * 10n ** 21n);
  assert.ok(execution * GAS_PRICE < 7n * 10n ** 21n);
});

test("a failed receipt leaves nothing behind and gives the deposit back", () => {
  const { chain, alice } = start();
  const before = chain.stateAt("optimistic").get("account", "other.test", "");
  const money = balance(chain, "alice.test");
  const record = run(chain, alice.call(chain, "other.test", "fail", bytes("x"), { deposit: NEAR }));
  assert.match(failure(record), "Smart contract panicked: refused on purpose");
  assert.equal(chain.stateAt("optimistic").get("account", "other.test", ""), before);
  assert.equal(chain.stateAt("optimistic").entries("data", "other.test"), []);
  assert.ok(money - balance(chain, "alice.test") < NEAR / 100n);
});

test("every receipt takes a block of its own, local ones the transaction's", () => {
  const { chain, alice, bob } = start();
  const record = run(chain, alice.call(chain, "bob.test", "relay", bytes("x")));
  const start1 = record.outcome.blockHeight;
  const heights = [...new Set(record.receiptOutcomes.map((outcome) => outcome.blockHeight - start1))];
  // relay, then echo, then (its data has arrived) relayed, then the last refund.
  assert.equal(heights, [1, 2, 3, 4]);
  const local = run(chain, bob.call(chain, "bob.test", "set", bytes("x")));
  assert.is(local.receiptOutcomes[0]!.blockHeight, local.outcome.blockHeight);
});

test("the final state lags two blocks behind the head, older ones stay for a while", () => {
  const { chain, alice } = start({ historyBlocks: 5 });
  const record = run(chain, alice.call(chain, "other.test", "set", bytes("v")), 2);
  const written = record.receiptOutcomes[0]!.blockHeight;
  const at = (reference: Parameters<DevChain["view"]>[3]) =>
    text(chain.view("other.test", "get", bytes(""), reference).result);
  assert.is(chain.head.height, written);
  assert.equal([at("optimistic"), at("final"), at(written - 1), at(written)], ["v", "", "", "v"]);
  chain.produceBlock();
  chain.produceBlock();
  assert.is(at("final"), "v");
  assert.is(
    chain.changes(written).some((change) => change.column === "data"),
    true,
  );
  for (let blocks = 0; blocks < 4; blocks++) chain.produceBlock();
  assert.throws(
    () => at(written),
    (error: { code: string }) => error.code === "UNKNOWN_BLOCK",
  );
});

test("a yield that nobody resumes ends after 200 blocks with a failed result", () => {
  const { chain, alice } = start();
  const hash = chain.submit(alice.call(chain, "other.test", "wait"));
  chain.produceBlock();
  const created = chain.produceBlock().height;
  const open = () => chain.transactions.transaction(hash)!.openReceipts;
  while (chain.head.height < created + 200) {
    chain.produceBlock();
    assert.is(open(), 1);
  }
  // The timeout is seen at the end of this block and reaches the contract in the next.
  chain.produceBlock();
  assert.is(open(), 0);
  const status = finalStatus(chain.transactions.transaction(hash)!);
  assert.is(status.kind === "value" && text(status.value), "failed");
  const late = run(chain, alice.call(chain, "other.test", "resume", bytes("late")));
  const answer = finalStatus(late);
  assert.is(answer.kind === "value" && text(answer.value), "refused");
});

test("a resume wins until the last block before the timeout, and only once", () => {
  const { chain, alice, bob } = start();
  const waiting = chain.submit(alice.call(chain, "other.test", "wait"));
  chain.produceBlock();
  const created = chain.produceBlock().height;
  while (chain.head.height < created + 198) chain.produceBlock();
  chain.submit(alice.call(chain, "other.test", "resume", bytes("first")));
  chain.submit(bob.call(chain, "other.test", "resume", bytes("second")));
  for (let blocks = 0; blocks < 6; blocks++) chain.produceBlock();
  const status = finalStatus(chain.transactions.transaction(waiting)!);
  assert.is(status.kind === "value" && text(status.value), "got first");
});

test("a payload for a yield may have 1,024 bytes and not one more", () => {
  const { chain, alice } = start();
  chain.submit(alice.call(chain, "other.test", "wait"));
  chain.produceBlock();
  chain.produceBlock();
  const long = run(chain, alice.call(chain, "other.test", "resume", new Uint8Array(1_025)));
  assert.match(failure(long), "Yield resume payload is 1025 bytes which exceeds the 1024 byte limit");
  const fits = finalStatus(run(chain, alice.call(chain, "other.test", "resume", new Uint8Array(1_024))));
  assert.is(fits.kind === "value" && text(fits.value), "accepted");
});

test("a function-call key may do what it was made for, and pays from its allowance", () => {
  const { chain, alice } = start();
  const limited = new Wallet("alice.test", "limited");
  const key = NearPublicKey.from(limited.publicKey) as PublicKey;
  const add = actions.addFunctionCallAccessKey(key, "other.test", ["echo"], NEAR);
  run(chain, alice.sign(chain, "alice.test", [add]));
  const nonce = chain.stateAt("optimistic").get("accessKey", "alice.test", limited.publicKey)!.nonce;
  const sign = (receiver: string, made: Parameters<Wallet["sign"]>[2]) =>
    limited.sign(chain, receiver, made, nonce + 1n);
  const call = (method: string, deposit = 0n) => actions.functionCall(method, new Uint8Array(), 10n * TERA, deposit);
  assert.match(
    refusal(() => chain.submit(sign("bob.test", [call("echo")]))),
    "ReceiverMismatch",
  );
  assert.match(
    refusal(() => chain.submit(sign("other.test", [call("set")]))),
    "MethodNameMismatch",
  );
  assert.match(
    refusal(() => chain.submit(sign("other.test", [call("echo", 1n)]))),
    "DepositWithFunctionCall",
  );
  assert.match(
    refusal(() => chain.submit(sign("other.test", [actions.transfer(1n)]))),
    "RequiresFullAccess",
  );
  const record = run(chain, sign("other.test", [call("echo")]));
  const burnt = [record.outcome, ...record.receiptOutcomes].reduce((sum, outcome) => sum + outcome.tokensBurnt, 0n);
  const { permission } = chain.stateAt("optimistic").get("accessKey", "alice.test", limited.publicKey)!;
  assert.is(permission.kind === "FunctionCall" && permission.allowance, NEAR - burnt);
});

test("invalid transactions are refused by nearcore's names", () => {
  const { chain, alice } = start();
  const stranger = new Wallet("nobody.test");
  const send = (wallet: Wallet, receiver: string, made: Parameters<Wallet["sign"]>[2], nonce?: bigint) =>
    refusal(() => chain.submit(wallet.sign(chain, receiver, made, nonce)));
  const transfer = [actions.transfer(1n)];
  assert.match(send(stranger, "bob.test", transfer), "SignerDoesNotExist");
  assert.match(send(new Wallet("alice.test", "other key"), "bob.test", transfer), "AccessKeyNotFound");
  assert.match(send(alice, "bob.test", transfer, 0n), "InvalidNonce");
  assert.match(send(alice, "bob.test", transfer, 10n ** 12n), "NonceTooLarge");
  assert.match(send(alice, "bob.test", [actions.transfer(NEAR * 10_000n)]), "NotEnoughBalance");
  assert.match(
    send(alice, "bob.test", [actions.functionCall("x", new Uint8Array(), 2_000n * TERA)]),
    "TotalPrepaidGasExceeded",
  );
  assert.match(
    send(alice, "bob.test", [actions.functionCall("x", new Uint8Array(), 0n)]),
    "FunctionCallZeroAttachedGas",
  );
  assert.match(send(alice, "bob.test", [actions.deleteAccount("bob.test"), ...transfer]), "DeleteActionMustBeFinal");
  assert.match(
    send(alice, "bob.test", [actions.functionCall("", new Uint8Array(), TERA)]),
    '{"ActionsValidation":"FunctionCallEmptyMethodName"}',
  );
  assert.match(
    send(alice, "alice.test", [actions.deployContract(new Uint8Array(1_572_864))]),
    /^{"TransactionSizeExceeded":{"size":\d+,"limit":1572864}}$/,
  );
  const signed = alice.sign(chain, "bob.test", transfer, 1n);
  signed[signed.length - 1] = signed.at(-1)! ^ 1;
  assert.match(
    refusal(() => chain.submit(signed)),
    "InvalidSignature",
  );
  const foreign = start({ seed: "other", chainId: "other" }).chain;
  assert.match(
    refusal(() => chain.submit(alice.sign(foreign, "bob.test", transfer))),
    "Expired",
  );
});

test("bytes that are no transaction are refused, wherever they are cut", () => {
  const { chain, alice } = start();
  const whole = alice.call(chain, "other.test", "set", bytes("x"));
  for (let length = 0; length < whole.length; length++) {
    assert.throws(
      () => chain.submit(whole.subarray(0, length)),
      (error: unknown) => error instanceof TransactionCodecError,
    );
  }
  assert.throws(
    () => chain.submit(Buffer.concat([whole, Buffer.alloc(1)])),
    (error: unknown) => error instanceof TransactionCodecError && error.code === "TRAILING_BYTES",
  );
});

test("actions fail by nearcore's names and undo the whole receipt", () => {
  const { chain, alice } = start();
  const attempt = (receiver: string, made: Parameters<Wallet["sign"]>[2]) =>
    failure(run(chain, alice.sign(chain, receiver, made)));
  const key = NearPublicKey.from(alice.publicKey) as PublicKey;
  assert.match(attempt("missing.test", [actions.transfer(1n)]), "AccountDoesNotExist");
  assert.match(attempt("bob.test", [actions.createAccount()]), "AccountAlreadyExists");
  assert.match(attempt("short", [actions.createAccount()]), "CreateAccountOnlyByRegistrar");
  assert.match(attempt("sub.bob.test", [actions.createAccount()]), "CreateAccountNotAllowed");
  assert.match(attempt("bob.test", [actions.addFullAccessKey(key)]), "ActorNoPermission");
  assert.match(attempt("alice.test", [actions.addFullAccessKey(key)]), "AddKeyAlreadyExists");
  assert.match(attempt("alice.test", [actions.functionCall("x", new Uint8Array(), TERA)]), "CodeDoesNotExist");
  assert.match(attempt("other.test", [actions.functionCall("x", new Uint8Array(), TERA)]), "MethodNotFound");
  assert.match(
    attempt("new.alice.test", [actions.createAccount(), actions.deployContract(new Uint8Array(2_000))]),
    "LackBalanceForState",
  );
  assert.is(chain.stateAt("optimistic").get("account", "new.alice.test", ""), undefined);
});

test("traps, endless loops and endless recursion end the call", () => {
  const { chain, alice } = start();
  const attempt = (method: string) => failure(run(chain, alice.call(chain, "other.test", method)));
  assert.match(attempt("trap"), "An `unreachable` opcode was executed");
  assert.match(attempt("spin"), "Exceeded the prepaid gas");
  assert.match(attempt("recurse"), "Accessed memory outside the bounds");
});

test("transactions of one key run in the order of their nonces; a lower one that comes later dies", () => {
  const { chain, alice } = start();
  const high = alice.sign(chain, "bob.test", [actions.transfer(1n)], 8n);
  const low = alice.sign(chain, "bob.test", [actions.transfer(1n)], 7n);
  const hashes = [chain.submit(high), chain.submit(low)];
  chain.produceBlock();
  assert.ok(hashes.every((hash) => chain.transactions.transaction(hash) !== undefined));
  const later = alice.sign(chain, "bob.test", [actions.transfer(2n)], 9n);
  const rival = alice.sign(chain, "bob.test", [actions.transfer(3n)], 9n);
  const [kept, dropped] = [chain.submit(later), chain.submit(rival)];
  chain.produceBlock();
  assert.ok(chain.transactions.transaction(kept!));
  assert.is(chain.transactions.transaction(dropped!), undefined);
  assert.is(chain.isPending(dropped!), false);
});

test("a transaction may name a block that is not kept any more", () => {
  const { chain, alice } = start({ historyBlocks: 3 });
  const early = alice.sign(chain, "bob.test", [actions.transfer(1n)]);
  for (let blocks = 0; blocks < 10; blocks++) chain.produceBlock();
  assert.is(finalStatus(run(chain, early)).kind, "value");
});

test("time does not go backwards", () => {
  const { chain } = start();
  const { timestampNs } = chain.head;
  assert.throws(
    () => chain.produceBlock(timestampNs),
    (error: { code: string }) => error.code === "TIMESTAMP_NOT_LATER",
  );
  assert.is(chain.produceBlock().timestampNs, timestampNs + 600_000_000n);
});

test.run();
