/**
 * Every JSON-RPC method with the fields of nearcore's views (near-primitives and near-jsonrpc-primitives 0.38), each of
 * its errors, and near-api-js reading both. The table of docs/spec/devchain.md is held to these lists.
 */
import { readFileSync } from "node:fs";
import { actions, JsonRpcProvider, PublicKey as NearPublicKey, type PublicKey } from "near-api-js";
import {
  AccessKeyDoesNotExistError,
  AccountDoesNotExistError,
  ContractMethodNotFoundError,
  UnknownBlockError,
  UnknownChunkError,
  UnknownEpochError,
  UnknownReceiptError,
  UnknownTransactionError,
  ValidatorInfoUnavailableError,
} from "near-api-js/rpc-errors";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { actionView } from "../../../devchain/rpc/views.ts";
import { type Json, type Setup, withServer } from "../fixtures/served-chain.ts";
import { run } from "../fixtures/transactions.ts";
import { NEAR, TERA, Wallet } from "../fixtures/wallet.ts";

const OPTIONS = { epochBlocks: 6, minimumStakeYocto: NEAR, historyBlocks: 12 };
const UNKNOWN_HASH = "1".repeat(32);
const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");
const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64");
const keysOf = (value: object) => Object.keys(value).sort();

const AT = "block_hash block_height";
const ACCESS_KEY = "nonce permission";
const ACCOUNT = "amount code_hash locked storage_paid_at storage_usage";
const BLOCK_HEADER = `approvals block_body_hash block_merkle_root block_ordinal challenges_result challenges_root
  chunk_endorsements chunk_headers_root chunk_mask chunk_receipts_root chunk_tx_root chunks_included epoch_id
  epoch_sync_data_hash gas_price hash height last_ds_final_block last_final_block latest_protocol_version next_bp_hash
  next_epoch_id outcome_root prev_hash prev_height prev_state_root random_value rent_paid shard_split signature
  timestamp timestamp_nanosec total_supply validator_proposals validator_reward`;
const CHUNK_HEADER = `balance_burnt bandwidth_requests chunk_hash congestion_info encoded_length encoded_merkle_root
  gas_limit gas_used height_created height_included outcome_root outgoing_receipts_root prev_block_hash
  prev_state_root rent_paid shard_id signature tx_root validator_proposals validator_reward`;
const OUTCOME = "final_execution_status receipts_outcome status transaction transaction_outcome";
const EXECUTION = "executor_id gas_burnt logs metadata receipt_ids status tokens_burnt";
const TRANSACTION = "actions hash nonce priority_fee public_key receiver_id signature signer_id";
const RECEIPT = "predecessor_id priority receipt receipt_id receiver_id";
const ACTION_RECEIPT = `actions gas_price input_data_ids is_promise_yield output_data_receivers signer_id
  signer_public_key`;
const VALIDATORS = `current_fishermen current_proposals current_validators epoch_height epoch_start_height
  next_fishermen next_validators prev_epoch_kickout validator_reward_paid_prev_epoch`;
const VALIDATOR = `account_id is_slashed num_expected_blocks num_expected_chunks num_expected_chunks_per_shard
  num_expected_endorsements num_expected_endorsements_per_shard num_produced_blocks num_produced_chunks
  num_produced_chunks_per_shard num_produced_endorsements num_produced_endorsements_per_shard public_key shards
  shards_endorsed stake`;
const PROPOSAL = "account_id public_key stake validator_stake_struct_version";
const STATUS = `chain_id genesis_hash latest_protocol_version node_key node_public_key protocol_version sync_info
  uptime_sec validator_account_id validator_public_key validators version`;
const SYNC = `earliest_block_hash earliest_block_height earliest_block_time epoch_id epoch_start_height
  latest_block_hash latest_block_height latest_block_time latest_state_root syncing`;
const CONFIG = `block_producer_kickout_threshold chain_id chunk_producer_kickout_threshold
  chunk_validator_only_kickout_threshold dynamic_resharding epoch_length fishermen_threshold gas_limit
  gas_price_adjustment_rate genesis_height genesis_time max_gas_price max_inflation_rate max_kickout_stake_perc
  min_gas_price minimum_stake_divisor minimum_stake_ratio minimum_validators_per_shard num_block_producer_seats
  num_blocks_per_year online_max_threshold online_min_threshold protocol_reward_rate protocol_treasury_account
  protocol_upgrade_stake_threshold protocol_version runtime_config shard_layout
  shuffle_shard_assignment_for_chunk_producers target_validator_mandates_per_shard transaction_validity_period`;

/** Something of everything: a stake that counts, storage, a key, a call that makes receipts. */
interface Scene extends Setup {
  readonly hash: string;
  readonly receiptId: string;
  /** The block in which the call ran. */
  readonly height: number;
  readonly key: string;
}

function withScene(use: (scene: Scene) => Promise<void>): Promise<void> {
  return withServer(async (setup) => {
    const { chain, alice } = setup;
    const key = NearPublicKey.from(alice.publicKey) as PublicKey;
    run(chain, alice.sign(chain, "alice.test", [actions.stake(9n * NEAR, key)]));
    while (chain.epochHeight(chain.head.height) < 3) chain.produceBlock();
    run(chain, alice.sign(chain, "alice.test", [actions.stake(12n * NEAR, key)]));
    const record = run(chain, alice.call(chain, "other.test", "set", Buffer.from("stored")));
    const [outcome] = record.receiptOutcomes;
    const { hash } = record.transaction;
    await use({ ...setup, hash, receiptId: outcome!.id, height: outcome!.blockHeight, key: alice.publicKey });
  }, OPTIONS);
}

type Look = readonly [fields: string, at: (result: Json) => object];
/** A method, how it is called, and what stands at some places of its answer; the answer itself comes first. */
type Row = readonly [method: string, params: (scene: Scene) => unknown, fields: string, ...looks: Look[]];

const query = (fields: (scene: Scene) => object) => (scene: Scene) => ({ finality: "optimistic", ...fields(scene) });
const QUERIES: readonly Row[] = [
  ["view_account", query(() => ({ account_id: "alice.test" })), `${ACCOUNT} ${AT}`],
  ["view_code", query(() => ({ account_id: "other.test" })), `code_base64 hash ${AT}`],
  [
    "view_state",
    query(() => ({ account_id: "other.test", prefix_base64: "" })),
    `values ${AT}`,
    ["key value", (result) => result.values[0]],
  ],
  ["view_access_key", query(({ key }) => ({ account_id: "alice.test", public_key: key })), `${ACCESS_KEY} ${AT}`],
  [
    "view_access_key_list",
    query(() => ({ account_id: "alice.test" })),
    `keys ${AT}`,
    ["access_key public_key", (result) => result.keys[0]],
    [ACCESS_KEY, (result) => result.keys[0].access_key],
  ],
  [
    "call_function",
    query(() => ({ account_id: "other.test", method_name: "get", args_base64: "" })),
    `logs result ${AT}`,
  ],
];

const transfer = ({ chain, alice }: Scene) => base64(alice.sign(chain, "other.test", [actions.transfer(1n)]));

const ROWS: readonly Row[] = [
  [
    "block",
    ({ height }) => ({ block_id: height }),
    "author chunks header",
    [BLOCK_HEADER, (result) => result.header],
    [CHUNK_HEADER, (result) => result.chunks[0]],
  ],
  ["block", ({ chain }) => [chain.head.hash], "author chunks header"],
  ["block", () => ({ sync_checkpoint: "earliest_available" }), "author chunks header"],
  [
    "chunk",
    ({ height }) => [height - 1, 0],
    "author header receipts transactions",
    [CHUNK_HEADER, (result) => result.header],
    [TRANSACTION, (result) => result.transactions[0]],
  ],
  [
    "chunk",
    ({ chain, height }) => ({ chunk_id: chain.block(height).hash }),
    "author header receipts transactions",
    [RECEIPT, (result) => result.receipts[0]],
  ],
  ["gas_price", () => [null], "gas_price"],
  ["gas_price", ({ height }) => [height], "gas_price"],
  ["status", () => [], STATUS, [SYNC, (result) => result.sync_info], ["account_id", (result) => result.validators[0]]],
  [
    "validators",
    () => [null],
    VALIDATORS,
    [VALIDATOR, (result) => result.current_validators[0]],
    ["account_id public_key shards stake", (result) => result.next_validators[0]],
    [PROPOSAL, (result) => result.current_proposals[0]],
  ],
  [
    "validators",
    async ({ call }) => ({ epoch_id: (await call("status")).result.sync_info.epoch_id }),
    VALIDATORS,
    [VALIDATOR, (result) => result.current_validators[0]],
  ],
  ["validators", () => ({ block_id: 11 }), VALIDATORS],
  ["EXPERIMENTAL_validators_ordered", () => [null], "0", [PROPOSAL, (result) => result[0]]],
  [
    "network_info",
    () => [],
    "active_peers known_producers num_active_peers peer_max_count received_bytes_per_sec sent_bytes_per_sec",
  ],
  [
    "tx",
    ({ hash }) => ({ tx_hash: hash, sender_account_id: "alice.test" }),
    OUTCOME,
    [TRANSACTION, (result) => result.transaction],
    ["block_hash id outcome proof", (result) => result.transaction_outcome],
    [EXECUTION, (result) => result.receipts_outcome[0].outcome],
  ],
  [
    "EXPERIMENTAL_tx_status",
    ({ hash }) => [hash, "alice.test"],
    `receipts ${OUTCOME}`,
    [RECEIPT, (result) => result.receipts[0]],
    [ACTION_RECEIPT, (result) => result.receipts[0].receipt.Action],
  ],
  ["tx_status", ({ hash }) => [hash, "alice.test"], `receipts ${OUTCOME}`],
  ["EXPERIMENTAL_receipt", ({ receiptId }) => ({ receipt_id: receiptId }), RECEIPT],
  ["receipt", ({ receiptId }) => [receiptId], RECEIPT],
  ["send_tx", (scene) => ({ signed_tx_base64: transfer(scene), wait_until: "NONE" }), "final_execution_status"],
  [
    "EXPERIMENTAL_changes",
    ({ height }) => ({
      block_id: height,
      changes_type: "data_changes",
      account_ids: ["other.test"],
      key_prefix_base64: "",
    }),
    "block_hash changes",
    ["cause change type", (result) => result.changes[0]],
    ["account_id key_base64 value_base64", (result) => result.changes[0].change],
  ],
  [
    "changes",
    ({ height }) => ({ block_id: height, changes_type: "account_changes", account_ids: ["other.test"] }),
    "block_hash changes",
    [`account_id ${ACCOUNT}`, (result) => result.changes[0].change],
    ["receipt_hash type", (result) => result.changes[0].cause],
  ],
  [
    "EXPERIMENTAL_changes_in_block",
    ({ height }) => ({ block_id: height }),
    "block_hash changes",
    ["account_id type", (result) => result.changes[0]],
  ],
  ["block_effects", ({ height }) => ({ block_id: height }), "block_hash changes"],
  ["EXPERIMENTAL_protocol_config", () => ({ finality: "final" }), CONFIG],
  ["protocol_config", () => ({ finality: "final" }), CONFIG],
  ["EXPERIMENTAL_genesis_config", () => [], `total_supply validators ${CONFIG.replace("runtime_config", "")}`],
  ["genesis_config", () => [], `total_supply validators ${CONFIG.replace("runtime_config", "")}`],
  ["EXPERIMENTAL_congestion_level", ({ height }) => ({ block_id: height, shard_id: 0 }), "congestion_level"],
  ["EXPERIMENTAL_maintenance_windows", () => ["alice.test"], ""],
  ["maintenance_windows", () => ({ account_id: "alice.test" }), ""],
  ["sandbox_fast_forward", () => ({ delta_height: 1 }), ""],
  ["sandbox_patch_state", () => ({ records: [] }), ""],
  ["sandbox_snapshot", () => [], "snapshot_id"],
];

function holdsFields(row: string, fields: string, value: object): void {
  assert.equal(keysOf(value), words(fields).sort(), row);
}

test("every method answers with the fields of nearcore's views", () =>
  withScene(async (scene) => {
    for (const [method, params, fields, ...looks] of ROWS) {
      const answer = await scene.call(method, await params(scene));
      assert.equal([answer.status, answer.error], [200, undefined], method);
      holdsFields(method, fields, answer.result);
      for (const [inner, at] of looks) holdsFields(`${method}: ${inner}`, inner, at(answer.result));
    }
    assert.is((await scene.call("health")).result, null);
    const sent = { signed_tx_base64: transfer(scene) };
    const hash = (await scene.call("broadcast_tx_async", sent)).result;
    const committed = scene.call("broadcast_tx_commit", sent);
    while (!scene.chain.isIdle) scene.chain.produceBlock();
    holdsFields("broadcast_tx_commit", OUTCOME, (await committed).result);
    assert.is((await committed).result.transaction.hash, hash);
  }));

test("each kind of query has a method of its own beside it", () =>
  withScene(async (scene) => {
    for (const [type, params, fields, ...looks] of QUERIES) {
      const named = params(scene) as object;
      const asQuery = (await scene.call("query", { request_type: type, ...named })).result;
      holdsFields(type, fields, asQuery);
      for (const [inner, at] of looks) holdsFields(`${type}: ${inner}`, inner, at(asQuery));
      assert.equal((await scene.call(`EXPERIMENTAL_${type}`, named)).result, asQuery);
    }
  }));

type Failure = readonly [
  method: string,
  params: (scene: Scene) => unknown,
  cause: string,
  info: (scene: Scene) => object,
  status?: number,
];

const place = ({ chain }: Scene) => ({ block_height: chain.head.height, block_hash: chain.head.hash });
const missing = "nobody.test";
const FAILURES: readonly Failure[] = [
  ["block", () => [99], "UNKNOWN_BLOCK", () => ({}), 422],
  ["block", () => ({ block_id: UNKNOWN_HASH }), "UNKNOWN_BLOCK", () => ({}), 422],
  ["chunk", () => [UNKNOWN_HASH], "UNKNOWN_CHUNK", () => ({ chunk_hash: UNKNOWN_HASH })],
  ["chunk", () => [99, 0], "UNKNOWN_BLOCK", () => ({}), 422],
  ["chunk", ({ height }) => [height, 1], "INVALID_SHARD_ID", () => ({ shard_id: 1 })],
  ["EXPERIMENTAL_congestion_level", ({ height }) => [height, 7], "INVALID_SHARD_ID", () => ({ shard_id: 7 })],
  ["gas_price", () => [99], "UNKNOWN_BLOCK", () => ({}), 422],
  ["validators", () => [99], "UNKNOWN_EPOCH", () => ({})],
  ["validators", () => ({ epoch_id: UNKNOWN_HASH }), "UNKNOWN_EPOCH", () => ({})],
  ["validators", () => ({ block_id: 10 }), "VALIDATOR_INFO_UNAVAILABLE", () => ({})],
  ["EXPERIMENTAL_changes_in_block", () => ({ block_id: 99 }), "UNKNOWN_BLOCK", () => ({}), 422],
  [
    "EXPERIMENTAL_changes",
    () => ({ block_id: 99, changes_type: "account_changes", account_ids: [] }),
    "UNKNOWN_BLOCK",
    () => ({}),
    422,
  ],
  ["EXPERIMENTAL_protocol_config", () => ({ block_id: 99 }), "UNKNOWN_BLOCK", () => ({}), 422],
  ["EXPERIMENTAL_receipt", () => [UNKNOWN_HASH], "UNKNOWN_RECEIPT", () => ({ receipt_id: UNKNOWN_HASH })],
  [
    "tx",
    () => [UNKNOWN_HASH, "alice.test"],
    "UNKNOWN_TRANSACTION",
    () => ({ requested_transaction_hash: UNKNOWN_HASH }),
  ],
  ["send_tx", (scene) => [transfer(scene)], "TIMEOUT_ERROR", () => ({ cause: "NOT_OBSERVED" }), 408],
  ["sandbox_revert", () => [9], "UNKNOWN_SNAPSHOT", () => ({ snapshot_id: 9 })],
  [
    "query",
    () => ({ request_type: "view_account", account_id: missing, block_id: 99 }),
    "UNKNOWN_BLOCK",
    () => ({ block_reference: { block_id: 99 } }),
    422,
  ],
  ...["view_account", "view_code", "view_access_key_list"].map(
    (request_type): Failure => [
      "query",
      query(() => ({ request_type, account_id: missing })),
      "UNKNOWN_ACCOUNT",
      (scene) => ({ requested_account_id: missing, ...place(scene) }),
    ],
  ),
  [
    "query",
    query(() => ({ request_type: "view_state", account_id: missing, prefix_base64: "" })),
    "UNKNOWN_ACCOUNT",
    (scene) => ({ requested_account_id: missing, ...place(scene) }),
  ],
  [
    "query",
    query(() => ({ request_type: "call_function", account_id: missing, method_name: "x", args_base64: "" })),
    "UNKNOWN_ACCOUNT",
    (scene) => ({ requested_account_id: missing, ...place(scene) }),
  ],
  [
    "query",
    query(() => ({ request_type: "view_code", account_id: "alice.test" })),
    "NO_CONTRACT_CODE",
    (scene) => ({ contract_account_id: "alice.test", ...place(scene) }),
  ],
  [
    "query",
    query(({ key }) => ({ request_type: "view_access_key", account_id: "other.test", public_key: key })),
    "UNKNOWN_ACCESS_KEY",
    (scene) => ({ public_key: scene.key, ...place(scene) }),
  ],
  [
    "query",
    query(() => ({ request_type: "call_function", account_id: "other.test", method_name: "x", args_base64: "" })),
    "CONTRACT_EXECUTION_ERROR",
    (scene) => ({
      vm_error: "wasm execution failed with error: MethodNotFound",
      error: { MethodResolveError: "MethodNotFound" },
      ...place(scene),
    }),
  ],
];

test("what goes wrong has nearcore's name, details and HTTP status", () =>
  withScene(async (scene) => {
    for (const [method, params, name, info, status = 200] of FAILURES) {
      const answer = await scene.call(method, params(scene));
      const row = `${method} ${name}`;
      assert.equal([answer.status, answer.result], [status, undefined], row);
      assert.equal(answer.error!.cause, { name, info: info(scene) }, row);
      assert.equal([answer.error!.name, answer.error!.code], ["HANDLER_ERROR", -32_000], row);
    }
    const told = async (method: string, params: unknown) => (await scene.call(method, params)).error!.data;
    assert.is(await told("block", [99]), "DB Not Found Error: BLOCK HEIGHT: 99 \n Cause: Unknown");
    const asked = { request_type: "view_account", account_id: missing, block_id: 99 };
    assert.match(String(await told("query", asked)), "has been garbage collected: BlockId(Height(99))");
    assert.equal(await told("EXPERIMENTAL_receipt", [UNKNOWN_HASH]), {
      name: "UNKNOWN_RECEIPT",
      info: { receipt_id: UNKNOWN_HASH },
    });
    const invalid = base64(scene.alice.sign(scene.chain, "other.test", [actions.transfer(1n)], 1n));
    const refused = (await scene.call("send_tx", [invalid])).error!;
    assert.is(refused.cause.name, "INVALID_TRANSACTION");
    assert.equal(keysOf((refused.data as Json).TxExecutionError.InvalidTxError), ["InvalidNonce"]);
  }));

test("a time-out says how far the transaction has come", () =>
  withServer(async ({ call, chain, alice }) => {
    const hash = chain.submit(alice.call(chain, "other.test", "set", Buffer.from("x")));
    const wait = async () =>
      (await call("tx", { tx_hash: hash, sender_account_id: "alice.test", wait_until: "FINAL" })).error!.cause;
    assert.equal(await wait(), { name: "TIMEOUT_ERROR", info: { cause: "NOT_OBSERVED" } });
    chain.produceBlock();
    const { info } = await wait();
    assert.is(info.cause, "PENDING");
    assert.is(info.status.final_execution_status, "INCLUDED");
    assert.is(info.status.transaction.hash, hash);
  }));

test("storage and keys come in pages", () =>
  withServer(async ({ call, chain, alice }) => {
    const keys = ["a", "b", "c"].map((name) => new Wallet(name).publicKey).sort();
    const added = keys.map((key) => actions.addFullAccessKey(NearPublicKey.from(key) as PublicKey));
    run(chain, alice.sign(chain, "alice.test", added));
    const records = ["k1", "k2", "k3"].map((key) => ({
      Data: { account_id: "other.test", data_key: base64(key), value: base64("v") },
    }));
    await call("sandbox_patch_state", { records });
    const state = { finality: "optimistic", account_id: "other.test", prefix_base64: base64("k"), limit: 2 };
    const first = (await call("EXPERIMENTAL_view_state", state)).result;
    assert.equal(
      [first.values.map((entry: Json) => entry.key), first.last_key],
      [["k1", "k2"].map(base64), base64("k2")],
    );
    const rest = (await call("EXPERIMENTAL_view_state", { ...state, after_key_base64: first.last_key })).result;
    assert.equal([rest.values.map((entry: Json) => entry.key), rest.last_key], [[base64("k3")], undefined]);
    const list = { finality: "optimistic", account_id: "alice.test", limit: 3 };
    const page = (await call("EXPERIMENTAL_view_access_key_list", list)).result;
    assert.is(page.keys.length, 3);
    const next = (await call("EXPERIMENTAL_view_access_key_list", { ...list, after_key: page.last_key })).result;
    assert.equal([next.keys.length, next.last_key], [1, undefined]);
    for (const wrong of [{ limit: 0 }, { limit: -1 }, { limit: "2" }, { limit: 2 ** 32 }, { include_proof: true }]) {
      const answer = await call("EXPERIMENTAL_view_state", { ...state, ...wrong });
      assert.is(answer.error?.cause.name, "PARSE_ERROR", JSON.stringify(wrong));
    }
  }));

test("near-api-js reads every method it has, and every error by its class", () =>
  withScene(async ({ server, chain, hash, receiptId, height, key }) => {
    const near = new JsonRpcProvider({ url: server.url }, { retries: 1 });
    const at = { blockId: height };
    assert.is((await near.viewBlock(at)).header.height, height);
    assert.is((await near.viewChunk(chain.block(height).hash)).header.shard_id, 0);
    assert.is(BigInt((await near.viewGasPrice(undefined)).gas_price), chain.gasPrice);
    assert.is((await near.viewNodeStatus()).chain_id, "devchain");
    assert.is((await near.viewValidators()).current_validators[0]?.account_id, "alice.test");
    const byHash = { txHash: hash, accountId: "alice.test" };
    assert.is((await near.viewTransactionStatus(byHash)).transaction.hash, hash);
    assert.is(((await near.viewTransactionStatusWithReceipts(byHash)) as Json).receipts.length, 2);
    assert.is((await near.viewTransactionReceipt(receiptId)).receiver_id, "other.test");
    assert.ok((await near.blockChanges(at)).changes.length > 0);
    assert.is((await near.contractStateChanges(["other.test"], at)).changes.length, 1);
    assert.is((await near.accountChanges(["other.test"], at)).changes.length, 1);
    assert.equal((await near.contractCodeChanges(["other.test"], at)).changes, []);
    assert.equal((await near.accessKeyChanges(["other.test"], at)).changes, []);
    const single = [{ account_id: "alice.test", public_key: key }];
    assert.is((await near.singleAccessKeyChanges(single, { blockId: height - 1 })).changes.length, 1);
    const config = (await near.experimental_protocolConfig({ finality: "final" })) as Json;
    assert.is(config.runtime_config.storage_amount_per_byte, "10000000000000000000");
    const errors: readonly [new (...values: never[]) => Error, () => Promise<unknown>][] = [
      [UnknownBlockError, () => near.viewBlock({ blockId: 99 })],
      [UnknownBlockError, () => near.viewAccount({ accountId: "alice.test", blockQuery: { blockId: 99 } })],
      [UnknownChunkError, () => near.viewChunk(UNKNOWN_HASH)],
      [UnknownEpochError, () => near.viewValidators({ epochId: UNKNOWN_HASH })],
      [ValidatorInfoUnavailableError, () => near.viewValidators({ blockId: 10 })],
      [UnknownReceiptError, () => near.viewTransactionReceipt(UNKNOWN_HASH)],
      [UnknownTransactionError, () => near.viewTransactionStatus({ ...byHash, txHash: UNKNOWN_HASH })],
      [AccountDoesNotExistError, () => near.viewAccount({ accountId: missing })],
      [AccessKeyDoesNotExistError, () => near.viewAccessKey({ accountId: "other.test", publicKey: key })],
      [
        ContractMethodNotFoundError,
        () => near.callFunctionRaw({ contractId: "other.test", method: "x", args: new Uint8Array() }),
      ],
    ];
    for (const [expected, ask] of errors) {
      const error = await ask().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof expected, `${expected.name}: ${error}`);
    }
  }));

test("near-api-js asks again after a time-out, and reads it when it stays", () =>
  withServer(async ({ server, chain, alice }) => {
    const hash = chain.submit(alice.call(chain, "other.test", "set", Buffer.from("x"), { gas: 10n * TERA }));
    const near = new JsonRpcProvider({ url: server.url }, { retries: 4, wait: 1 });
    const status = near.viewTransactionStatus({ txHash: hash, accountId: "alice.test", waitUntil: "EXECUTED" });
    // The first attempts time out after 50 ms each: there are no blocks.
    await new Promise((resolve) => setTimeout(resolve, 120));
    for (let blocks = 0; blocks < 4; blocks++) chain.produceBlock();
    assert.is((await status).transaction.hash, hash);
  }));

test("a delegate action's inner actions are written as they are, not as views", () => {
  const code = new Uint8Array([0, 1, 2]);
  const signature = { type: 0, data: new Uint8Array(64) };
  const view = actionView({
    kind: "Delegate",
    senderId: "alice.test",
    receiverId: "new.alice.test",
    actions: [{ kind: "CreateAccount" }, { kind: "DeployContract", code }, { kind: "Transfer", deposit: 7n }],
    nonce: 1n,
    maxBlockHeight: 2n,
    publicKey: new Wallet("alice.test").publicKey,
    signature,
    signedHash: new Uint8Array(32),
  }) as Json;
  assert.equal(keysOf(view.Delegate), ["delegate_action", "signature"]);
  assert.equal(view.Delegate.delegate_action.actions, [
    { CreateAccount: {} },
    { DeployContract: { code: base64(code) } },
    { Transfer: { deposit: "7" } },
  ]);
  assert.is(actionView({ kind: "CreateAccount" }), "CreateAccount");
});

test("the page on the chain has a row for each method", () => {
  const page = readFileSync(new URL("../../../../docs/spec/devchain.md", import.meta.url), "utf8");
  const names = [...ROWS, ...QUERIES].map(([method]) => method).concat("health", "query", "broadcast_tx_async");
  for (const name of new Set(names)) assert.ok(page.includes(`\`${name}\``), name);
});

test.run();
