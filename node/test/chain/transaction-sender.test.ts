import { KeyPair } from "near-api-js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { NearRpc } from "../../src/chain/near-rpc.ts";
import { type ContractCall, TransactionSender } from "../../src/chain/transaction-sender.ts";
import { isOperatingError } from "../../src/errors.ts";
import { CONTRACT_ID, type ContractChain, silent, startContractChain, USER_ID } from "./contract-chain.ts";

interface World {
  chain: ContractChain;
}

const test = suite<World>("transaction sender");

test.before(async (world) => {
  world.chain = await startContractChain(50);
});

test.after(async (world) => {
  await world.chain.stop();
});

const call = (method: string, args: object, depositYocto = 0n): ContractCall => ({
  contractId: CONTRACT_ID,
  method,
  args: new TextEncoder().encode(JSON.stringify(args)),
  gas: 30_000_000_000_000n,
  depositYocto,
});

test("calls one after another on one key, whoever asks first", async ({ chain }) => {
  const sender = new TransactionSender(new NearRpc([chain.url]), USER_ID, [chain.userKey], silent);
  const ends = await Promise.all(
    [0, 1, 2].map((id) => sender.call(call("claim_lease", { request_id: id, seat: 0, lease_epoch: 0 }))),
  );
  assert.is(new Set(ends.map((end) => end.transactionHash)).size, 3);
  for (const end of ends) {
    assert.is(end.accepted, false);
    assert.match(end.reason, /^[A-Z]\w+: /);
  }
});

test("the contract's own words say why it refused", async ({ chain }) => {
  const sender = new TransactionSender(new NearRpc([chain.url]), USER_ID, [chain.userKey], silent);
  const { accepted, reason } = await sender.call(call("register_node", { public_key: "ed25519:nonsense" }, 10n ** 25n));
  assert.is(accepted, false);
  assert.match(reason, /key/i);
});

test("an endpoint that is down is asked until it answers", async ({ chain }) => {
  const sender = new TransactionSender(new NearRpc([chain.url]), USER_ID, [chain.userKey], silent);
  await chain.stop();
  const end = sender.call(call("claim_lease", { request_id: 9, seat: 0, lease_epoch: 0 }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await chain.restart();
  assert.is((await end).accepted, false);
});

test("a key that the account does not have is named, and a stopped sender ends", async ({ chain }) => {
  const stranger = new TransactionSender(
    new NearRpc([chain.url]),
    USER_ID,
    [KeyPair.fromRandom("ed25519").toString()],
    silent,
  );
  const refused = stranger.call(call("claim_lease", {}));
  setTimeout(() => stranger.stop(), 1_000);
  try {
    await refused;
    assert.unreachable();
  } catch (error) {
    assert.ok(isOperatingError(error, "transaction_unsent"), String(error));
  }
});

test.run();
