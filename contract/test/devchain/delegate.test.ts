/** Delegate actions (NEP-366): one account signs, another pays; signed by near-api-js. */

import { createHash } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { actions, buildDelegateAction, KeyPair, KeyPairSigner, PublicKey } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeBase58 } from "../../devchain/codec/base58.ts";
import { DevChain } from "../../devchain/index.ts";
import { compileProbe } from "./fixtures/probe.ts";
import { CHAIN_OPTIONS, NEAR, TERA, Wallet } from "./fixtures/wallet.ts";

const probe = await compileProbe();

function start() {
  const relayer = new Wallet("relayer.test");
  const user = new Wallet("user.test");
  const accounts = [
    relayer.genesis(),
    user.genesis(NEAR),
    { accountId: "other.test", balanceYocto: 10n * NEAR, code: probe },
  ];
  return { relayer, user, chain: new DevChain({ ...CHAIN_OPTIONS, accounts }) };
}

const secret = createHash("sha256").update("user.test").digest();
const userKey = KeyPair.fromString(`ed25519:${encodeBase58(Buffer.concat([secret, ed25519.getPublicKey(secret)]))}`);

interface Signed {
  readonly nonce?: bigint;
  readonly maxBlockHeight?: bigint;
  readonly senderId?: string;
  readonly key?: KeyPair;
  readonly method?: string;
}

async function delegate({
  nonce = 1n,
  maxBlockHeight = 1_000n,
  senderId = "user.test",
  key = userKey,
  method = "set",
}: Signed = {}) {
  const call = actions.functionCall(method, new Uint8Array([1, 2, 3]), 30n * TERA, 0n);
  const publicKey = PublicKey.from(key.getPublicKey().toString());
  const action = buildDelegateAction({
    actions: [call],
    maxBlockHeight,
    nonce,
    publicKey,
    receiverId: "other.test",
    senderId,
  });
  const { signedDelegate } = await new KeyPairSigner(key).signDelegateAction(action);
  return actions.signedDelegate(signedDelegate);
}

function relay(chain: DevChain, relayer: Wallet, action: Awaited<ReturnType<typeof delegate>>, to = "user.test") {
  const hash = chain.submit(relayer.sign(chain, to, [action]));
  for (let i = 0; i < 10; i++) chain.produceBlock();
  return chain.transactions.transaction(hash)!;
}

const balance = (chain: DevChain, accountId: string) =>
  chain.stateAt("optimistic").get("account", accountId, "")!.amount;

test("the call comes from the sender, the relayer pays for it, and no yocto appears or vanishes", async () => {
  const { chain, relayer } = start();
  const before = ["relayer.test", "user.test", "other.test"].map((id) => balance(chain, id));
  const record = relay(chain, relayer, await delegate());
  const call = record.receiptOutcomes.find(({ executorId }) => executorId === "other.test")!;
  assert.equal(call.status.kind, "value");
  assert.equal(call.logs, ["stored 3"]);
  const after = ["relayer.test", "user.test", "other.test"].map((id) => balance(chain, id));
  assert.is(after[1], before[1]);
  assert.is(after[2], before[2]);
  const burnt = [record.outcome, ...record.receiptOutcomes].reduce((sum, { tokensBurnt }) => sum + tokensBurnt, 0n);
  assert.is(before[0]! - after[0]!, burnt);
});

test("what fails at the receiver costs the sender nothing", async () => {
  const { chain, relayer } = start();
  const before = balance(chain, "user.test");
  const record = relay(chain, relayer, await delegate({ method: "fail" }));
  const call = record.receiptOutcomes.find(({ executorId }) => executorId === "other.test")!;
  assert.is(call.status.kind, "failure");
  assert.is(balance(chain, "user.test"), before);
});

test("used, expired, foreign and broken signatures are refused by nearcore's names", async () => {
  const { chain, relayer } = start();
  const failure = async (signed: Signed, to?: string) => {
    const record = relay(chain, relayer, await delegate(signed), to);
    const { status } = record.receiptOutcomes[0]!;
    return status.kind === "failure" ? JSON.stringify(status.error) : status.kind;
  };
  assert.is(await failure({ nonce: 5n }), "value");
  assert.match(await failure({ nonce: 5n }), '{"DelegateActionInvalidNonce":{"delegate_nonce":5,"ak_nonce":5}}');
  assert.match(await failure({ nonce: 10n ** 15n }), "DelegateActionNonceTooLarge");
  assert.match(await failure({ nonce: 6n, maxBlockHeight: 3n }), "DelegateActionExpired");
  assert.match(await failure({ nonce: 7n, senderId: "other.test" }), "DelegateActionSenderDoesNotMatchTxReceiver");
  assert.match(await failure({ nonce: 8n, key: KeyPair.fromRandom("ed25519") }), "AccessKeyNotFound");
  const forged = await delegate({ nonce: 9n });
  forged.signedDelegate!.delegateAction.nonce = 10n;
  const { status } = relay(chain, relayer, forged).receiptOutcomes[0]!;
  assert.match(JSON.stringify(status), "DelegateActionInvalidSignature");
});

test.run();
