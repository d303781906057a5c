/**
 * An embedded NEAR chain of one shard and no validators: accounts, receipts, contracts with exact gas, yields.
 * Deterministic: no clock, no timer, no randomness. Equal options and equal calls give equal block hashes.
 * Time passes when somebody calls `produceBlock`: the server's timer, a test, or a simulator's virtual clock.
 */

import { type Hash, hashBytes, sha256, toHash, u64le, ZERO_HASH } from "../codec/hash.ts";
import { decodeSignedTransaction, type SignedTransaction } from "../codec/transaction.ts";
import { LIMITS } from "../parameters/protocol-config.ts";
import { hashBlock, hashOutcomes, nextStateRoot } from "./block-hash.ts";
import { BlockHistory } from "./block-history.ts";
import {
  type BlockInputs,
  type BlockListener,
  type BlockReference,
  type ChainInput,
  DevChainError,
  type DevChainOptions,
  type ForkOptions,
  GENESIS_HEIGHT,
  type InputListener,
  type ViewResult,
} from "./devchain-types.ts";
import { createGenesisAccount } from "./genesis.ts";
import { globalCodeKey } from "./global-contracts.ts";
import { inOrderOfChance, Mempool } from "./mempool.ts";
import { checkPatches } from "./patch-bounds.ts";
import { type BlockContext, executeReceipt } from "./receipt-execution.ts";
import { ReceiptQueue } from "./receipt-queue.ts";
import { applyPatches, type ChainSnapshot, type StatePatch } from "./snapshot.ts";
import { beginEpoch } from "./staking.ts";
import { State, type StateChange, type StateView } from "./state.ts";
import { checkSupply } from "./supply.ts";
import { TransactionLedger } from "./transaction-ledger.ts";
import type { Block, ExecutionOutcome, Receipt } from "./types.ts";
import { chargeTransaction, InvalidTransactionError, verifyStateless } from "./verifier.ts";
import { viewContract } from "./view.ts";
import { expireYields, forgetYield } from "./yields.ts";

export { DevChainError } from "./devchain-types.ts";

/** The lowest gas price of mainnet; blocks here are never full for long, so it stays. */
export const GAS_PRICE = 100_000_000n;
/** As on mainnet: receipts beyond it wait for the next block. */
export const BLOCK_GAS_LIMIT = 1_000_000_000_000_000;
const MAX_TRANSACTIONS_PER_BLOCK = 1_000;
/** More at once would hold up everything else of the process for long. */
const MAX_FAST_FORWARD_BLOCKS = 100_000;
/** Each holds the whole state, as far as it differs from the others. */
const MAX_SNAPSHOTS = 64;
const DEFAULT_FINALITY_LAG_BLOCKS = 2;
const DEFAULT_HISTORY_BLOCKS = 2_000;
const DEFAULT_EPOCH_BLOCKS = 43_200;
const DEFAULT_MINIMUM_STAKE_YOCTO = 10n ** 27n;

/** What a block began with, beside the state. */
interface BeforeHead extends Pick<ChainSnapshot, "queue" | "open"> {
  readonly transactions: readonly Uint8Array[];
}

export class DevChain {
  readonly options: ForkOptions;
  readonly genesisHash: Hash;
  readonly genesisTimestampNs: bigint;
  readonly epochBlocks: number;
  readonly minimumStakeYocto: bigint;
  readonly #seed: Uint8Array;
  readonly #blockIntervalNs: bigint;
  readonly #shuffleTransactions: boolean;
  readonly #state: State;
  readonly #mempool = new Mempool();
  readonly #queue = new ReceiptQueue();
  readonly #ledger: TransactionLedger;
  readonly #blocks: BlockHistory;
  readonly #droppableHead: boolean;
  /** What the head was made from, to take it back; undefined where that is not wanted or not possible. */
  #beforeHead: BeforeHead | undefined;
  readonly #snapshots = new Map<number, ChainSnapshot>();
  #snapshotIds = 0;
  readonly #listeners = new Set<InputListener>();

  /** @param fork begins where this snapshot was taken, instead of with the accounts of `options` */
  constructor(options: DevChainOptions, fork?: ChainSnapshot) {
    const lag = options.finalityLagBlocks ?? DEFAULT_FINALITY_LAG_BLOCKS;
    const history = options.historyBlocks ?? DEFAULT_HISTORY_BLOCKS;
    if (!Number.isSafeInteger(lag) || lag < 0 || !Number.isSafeInteger(history) || history <= lag) {
      throw new DevChainError("INVALID_OPTIONS", "0 <= finalityLagBlocks < historyBlocks does not hold");
    }
    if (!(options.blockIntervalMs > 0)) {
      throw new DevChainError("INVALID_OPTIONS", `blockIntervalMs is ${options.blockIntervalMs}`);
    }
    this.epochBlocks = options.epochBlocks ?? DEFAULT_EPOCH_BLOCKS;
    this.minimumStakeYocto = options.minimumStakeYocto ?? DEFAULT_MINIMUM_STAKE_YOCTO;
    if (!Number.isSafeInteger(this.epochBlocks) || this.epochBlocks < 1 || this.minimumStakeYocto < 1n) {
      throw new DevChainError("INVALID_OPTIONS", "epochBlocks and minimumStakeYocto are 1 or more");
    }
    this.options = options;
    this.#seed = sha256("devchain seed ", options.chainId, " ", options.seed);
    this.#blockIntervalNs = BigInt(Math.max(1, Math.round(options.blockIntervalMs * 1e6)));
    this.#blocks = new BlockHistory(lag, history);
    this.#shuffleTransactions = options.shuffleTransactions ?? false;
    this.#droppableHead = (options.droppableHead ?? false) && lag > 0;
    this.#state = new State(GENESIS_HEIGHT, history, options.trieNodes);
    this.#ledger = new TransactionLedger(history);
    if (fork === undefined) {
      for (const account of options.accounts) createGenesisAccount(this.#state, account);
      this.genesisTimestampNs = options.genesisTimestampNs;
      this.genesisHash = this.#closeBlock(GENESIS_HEIGHT, options.genesisTimestampNs, [], [], 0).hash;
    } else {
      if (fork.chainId !== options.chainId) {
        throw new DevChainError("INVALID_OPTIONS", `the snapshot is of chain ${fork.chainId}`);
      }
      this.genesisHash = fork.genesisHash;
      this.genesisTimestampNs = fork.genesisTimestampNs;
      this.#restore(fork);
    }
    checkSupply(this.#state, this.#queue.contents, "INVALID_OPTIONS");
  }

  get chainId(): string {
    return this.options.chainId;
  }

  get head(): Block {
    return this.#blocks.head;
  }

  get finalHead(): Block {
    return this.block("final");
  }

  /** The oldest block that can still be asked for. */
  get oldestBlock(): Block {
    return this.#blocks.oldest;
  }

  /** Of the block at `height`; the first epoch is 1. */
  epochHeight(height: number): number {
    return 1 + Math.floor(height / this.epochBlocks);
  }

  get gasPrice(): bigint {
    return GAS_PRICE;
  }

  /** Transactions that wait for a block. */
  get pendingTransactions(): number {
    return this.#mempool.size;
  }

  /** True when nothing is due: the next block would be empty, unless a yield times out. */
  get isIdle(): boolean {
    return this.#mempool.size === 0 && this.#queue.isIdle;
  }

  /** @throws DevChainError `UNKNOWN_BLOCK` when it never was, or is not kept any more */
  block(reference: BlockReference): Block {
    return this.#blocks.block(reference);
  }

  /** The state after a block. @throws DevChainError `UNKNOWN_BLOCK` */
  stateAt(reference: BlockReference): StateView {
    return this.#state.at(this.block(reference).height);
  }

  /** What the block at `height` changed, in order. @throws DevChainError `UNKNOWN_BLOCK` */
  changes(height: number): readonly StateChange[] {
    return this.#state.changesAt(this.block(height).height)!;
  }

  /** Transactions and their outcomes, as far as they are kept. */
  get transactions(): Pick<TransactionLedger, "transaction" | "receipt"> {
    return this.#ledger;
  }

  /** True while the transaction waits for a block. */
  isPending(hash: Hash): boolean {
    return this.#mempool.has(hash);
  }

  /** Called after each block. Returns what ends it. */
  onBlock(listener: BlockListener): () => void {
    return this.onInput((input) => {
      if (input.kind === "block") listener(input.block, input.inputs);
    });
  }

  /** Called after everything that moves the chain: what has to be repeated to make it again. */
  onInput(listener: InputListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The chain as it is now, to be kept elsewhere. */
  snapshot(): ChainSnapshot {
    return {
      chainId: this.chainId,
      genesisHash: this.genesisHash,
      genesisTimestampNs: this.genesisTimestampNs,
      head: this.head,
      blockHashes: this.#blocks.hashes,
      records: this.#state.records(),
      queue: this.#queue.contents,
      open: this.#ledger.open,
      pending: this.#mempool.bytes,
    };
  }

  /** Remembers the chain as it is now. Returns what `revertTo` takes. @throws DevChainError `TOO_MANY_SNAPSHOTS` */
  takeSnapshot(): number {
    if (this.#snapshots.size >= MAX_SNAPSHOTS) {
      throw new DevChainError("TOO_MANY_SNAPSHOTS", `${MAX_SNAPSHOTS} snapshots are kept: revert to an older one`);
    }
    const id = ++this.#snapshotIds;
    this.#snapshots.set(id, this.snapshot());
    this.#tell({ kind: "snapshot", id });
    return id;
  }

  /**
   * Goes back, as often as wanted; snapshots that were taken after this one are gone. Blocks before it and finished
   * transactions are not known any more. @throws DevChainError `UNKNOWN_SNAPSHOT`
   */
  revertTo(id: number): void {
    const snapshot = this.#snapshots.get(id);
    if (snapshot === undefined) throw new DevChainError("UNKNOWN_SNAPSHOT", `there is no snapshot ${id}`);
    for (const later of [...this.#snapshots.keys()]) if (later > id) this.#snapshots.delete(later);
    this.#restore(snapshot);
    this.#tell({ kind: "revert", id });
  }

  /**
   * Accepts a signed transaction (Borsh) for one of the next blocks. Sending it again is harmless.
   * It may still be dropped, without a trace, if it is not valid any more when its block comes.
   * @throws TransactionCodecError, InvalidTransactionError, DevChainError `MEMPOOL_FULL`
   */
  submit(bytes: Uint8Array): Hash {
    const limit = LIMITS.max_transaction_size;
    if (bytes.length > limit) {
      throw new InvalidTransactionError({ TransactionSizeExceeded: { size: bytes.length, limit } });
    }
    const transaction = decodeSignedTransaction(bytes);
    const { hash } = transaction;
    if (this.#mempool.has(hash) || this.#ledger.transaction(hash) !== undefined) return hash;
    this.#checkRecent(transaction);
    verifyStateless(transaction);
    chargeTransaction(this.#state, transaction, this.head.height + 1, GAS_PRICE);
    if (!this.#mempool.add({ transaction, bytes: bytes.slice() })) {
      throw new DevChainError("MEMPOOL_FULL", "too many transactions wait for a block");
    }
    return hash;
  }

  /**
   * Makes the next block from what was submitted.
   * @param timestampNs later than the head's; the head's plus the block interval by default
   * @param patches what to put into the state first, past all rules
   * @throws DevChainError `TIMESTAMP_NOT_LATER`, `INVALID_PATCH`
   */
  produceBlock(
    timestampNs: bigint = this.head.timestampNs + this.#blockIntervalNs,
    patches: readonly StatePatch[] = [],
  ): Block {
    this.#checkLater(timestampNs);
    if (patches.length > 0) checkPatches(this.#state, this.#queue.contents, patches);
    const before = this.#droppableHead ? this.#pending() : undefined;
    applyPatches(this.#state, patches);
    const height = this.head.height + 1;
    const inOrder = this.#mempool.take(MAX_TRANSACTIONS_PER_BLOCK);
    const taken = this.#shuffleTransactions ? inOrderOfChance(inOrder, this.#seed, height) : inOrder;
    const included = taken.filter(({ transaction }) => this.#include(transaction, height));
    const block = this.#run(
      height,
      timestampNs,
      included.map(({ transaction }) => transaction),
    );
    const inputs = { timestampNs, transactions: included.map(({ bytes }) => bytes), patches };
    this.#remember(before, inputs);
    this.#tell({ kind: "block", block, inputs });
    return block;
  }

  /**
   * Makes this many blocks at once: time travel, as near-sandbox's `sandbox_fast_forward`.
   * @throws RangeError beyond `MAX_FAST_FORWARD_BLOCKS`
   */
  fastForward(blocks: number): Block {
    for (const _ of this.fastForwardSteps(blocks));
    return this.head;
  }

  /** The same block by block, for who has something else to do in between. */
  *fastForwardSteps(blocks: number): Generator<Block> {
    if (!Number.isSafeInteger(blocks) || blocks < 1 || blocks > MAX_FAST_FORWARD_BLOCKS) {
      throw new RangeError(`${blocks} blocks: 1 to ${MAX_FAST_FORWARD_BLOCKS} are made at once`);
    }
    for (let made = 0; made < blocks; made++) yield this.produceBlock();
  }

  /** Makes a block again from its inputs; listeners are not called. */
  replayBlock(inputs: BlockInputs): Block {
    this.#checkLater(inputs.timestampNs);
    const before = this.#pending();
    applyPatches(this.#state, inputs.patches);
    const height = this.head.height + 1;
    const transactions = inputs.transactions.map(decodeSignedTransaction);
    const block = this.#run(
      height,
      inputs.timestampNs,
      transactions.filter((transaction) => this.#include(transaction, height)),
    );
    this.#remember(before, inputs);
    return block;
  }

  /** Whether `dropHead` can take the head back. */
  get canDropHead(): boolean {
    return this.#beforeHead !== undefined;
  }

  /**
   * Takes the head back, as a network does with an optimistic block that loses: nobody finds it any more, and its
   * transactions wait for the next one. Returns it.
   * @throws DevChainError `NOTHING_TO_DROP` without `droppableHead`, twice in a row, and for a block with patches
   */
  dropHead(): Block {
    const before = this.#beforeHead;
    if (before === undefined) throw new DevChainError("NOTHING_TO_DROP", "the head cannot be taken back");
    const dropped = this.head;
    this.#beforeHead = undefined;
    this.#state.dropBlock();
    this.#queue.restart(before.queue);
    this.#ledger.dropBlock(dropped.height, before.open);
    this.#blocks.drop();
    for (const bytes of before.transactions) {
      this.#mempool.add({ transaction: decodeSignedTransaction(bytes), bytes });
    }
    this.#tell({ kind: "drop" });
    return dropped;
  }

  #pending(): Omit<BeforeHead, "transactions"> {
    return { queue: this.#queue.contents, open: this.#ledger.open };
  }

  #remember(before: Omit<BeforeHead, "transactions"> | undefined, { transactions, patches }: BlockInputs): void {
    this.#beforeHead = before && patches.length === 0 ? { ...before, transactions } : undefined;
  }

  /**
   * Calls a view method on the state after a block.
   * @throws DevChainError `UNKNOWN_BLOCK`, `UNKNOWN_ACCOUNT`, `NO_CONTRACT_CODE`, `CONTRACT_EXECUTION_ERROR`
   */
  view(accountId: string, methodName: string, args: Uint8Array, at: BlockReference = "optimistic"): ViewResult {
    const block = this.block(at);
    const state = this.#state.at(block.height);
    return viewContract(this, state, block, { accountId, methodName, args });
  }

  #tell(input: ChainInput): void {
    for (const listener of [...this.#listeners]) listener(input);
  }

  #restore(snapshot: ChainSnapshot): void {
    const { head } = snapshot;
    this.#beforeHead = undefined;
    this.#blocks.restart(head, snapshot.blockHashes);
    this.#state.restart(head.height, snapshot.records);
    this.#queue.restart(snapshot.queue);
    this.#ledger.restart(snapshot.open);
    this.#mempool.clear();
    for (const bytes of snapshot.pending) {
      this.#mempool.add({ transaction: decodeSignedTransaction(bytes), bytes });
    }
  }

  #checkRecent(transaction: SignedTransaction): void {
    if (!this.#blocks.isRecent(transaction.blockHash)) throw new InvalidTransactionError("Expired");
  }

  #checkLater(timestampNs: bigint): void {
    if (timestampNs > this.head.timestampNs) return;
    throw new DevChainError(
      "TIMESTAMP_NOT_LATER",
      `a block at ${timestampNs} cannot follow one at ${this.head.timestampNs}`,
    );
  }

  /** Charges a transaction and turns it into a receipt; false when it is not valid any more. */
  #include(transaction: SignedTransaction, height: number): boolean {
    if (this.#ledger.transaction(transaction.hash) !== undefined) return false;
    try {
      const { account, accessKey, cost } = chargeTransaction(this.#state, transaction, height, GAS_PRICE);
      this.#state.set("account", transaction.signerId, "", account);
      this.#state.set("accessKey", transaction.signerId, transaction.publicKey, accessKey);
      this.#state.commit({ kind: "transaction", hash: transaction.hash });
      this.#ledger.include(transaction, cost, height);
      return true;
    } catch (error) {
      if (error instanceof InvalidTransactionError) return false;
      throw error;
    }
  }

  #run(height: number, timestampNs: bigint, transactions: readonly SignedTransaction[]): Block {
    const randomValue = toHash(sha256(this.#seed, hashBytes(this.head.hash), u64le(height)));
    const context: BlockContext = {
      chainId: this.chainId,
      height,
      timestampNs,
      epochHeight: this.epochHeight(height),
      gasPrice: GAS_PRICE,
      minimumStake: this.minimumStakeYocto,
      randomValue,
    };
    if (height % this.epochBlocks === 0) beginEpoch(this.#state);
    const outcomes: ExecutionOutcome[] = [];
    let gasUsed = 0;
    // Receipts to the signer itself run in the transaction's own block, the others in the next.
    const due: Receipt[] = [];
    const sent: Receipt[] = [];
    for (const transaction of transactions) {
      const { outcome, receipt } = this.#ledger.convert(transaction);
      outcomes.push(outcome);
      gasUsed += outcome.gasBurnt;
      (transaction.signerId === transaction.receiverId ? due : sent).push(receipt);
    }
    due.push(...this.#queue.takeDue());
    this.#queue.push(sent);
    for (const [index, receipt] of due.entries()) {
      if (gasUsed >= BLOCK_GAS_LIMIT) {
        this.#queue.delay(due.slice(index));
        break;
      }
      const outcome = this.#arrive(receipt, context);
      if (outcome === undefined) continue;
      outcomes.push(outcome);
      gasUsed += outcome.gasBurnt;
    }
    this.#queue.push(expireYields(this.#state, this.#queue.takeTimeouts(height), height));
    return this.#closeBlock(height, timestampNs, transactions, outcomes, gasUsed);
  }

  #arrive(arrived: Receipt, context: BlockContext): ExecutionOutcome | undefined {
    if (arrived.kind === "distribution") {
      const { contract, code } = arrived;
      const value = { code, codeHash: toHash(sha256(code)) };
      this.#state.set("globalCode", "", globalCodeKey(contract), value);
      this.#state.commit({ kind: "receipt", hash: arrived.id });
      return undefined;
    }
    const ready = this.#queue.arrive(arrived);
    if (ready === undefined) return undefined;
    const { receipt, results } = ready;
    if (receipt.isYield) forgetYield(this.#state, receipt);
    const { outcome, outgoing, timeouts } = executeReceipt(this.#state, receipt, results, context);
    this.#queue.push(outgoing);
    this.#queue.pushTimeouts(timeouts);
    this.#ledger.executed(receipt, outcome, outgoing);
    return outcome;
  }

  #closeBlock(
    height: number,
    timestampNs: bigint,
    transactions: readonly SignedTransaction[],
    outcomes: readonly ExecutionOutcome[],
    gasUsed: number,
  ): Block {
    const previous = this.#blocks.isEmpty ? undefined : this.head;
    const previousHash = previous?.hash ?? ZERO_HASH;
    const changes = this.#state.closeBlock();
    const header = {
      height,
      previousHash,
      timestampNs,
      stateRoot: nextStateRoot(previous?.stateRoot ?? ZERO_HASH, changes),
      outcomeRoot: hashOutcomes(outcomes),
      randomValue: toHash(sha256(this.#seed, hashBytes(previousHash), u64le(height))),
      transactions: transactions.map(({ hash }) => hash),
      receipts: outcomes.slice(transactions.length).map(({ id }) => id),
      gasUsed,
    };
    const block: Block = { ...header, hash: hashBlock(header) };
    this.#blocks.push(block);
    this.#ledger.prune(height);
    return block;
  }
}
