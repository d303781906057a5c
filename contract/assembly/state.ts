/**
 * The contract's own record, under the key `STATE`: parameters that `new` fixes, prices, counters and the totals that
 * make a request's pinned epoch an O(1) matter. One read and one write a call. Its first byte is the layout's version;
 * `migrate` brings older layouts up to this one.
 */
import { BorshField, BorshReader, BorshWriter } from "./borsh";
import { EMPTY, same } from "./buffer";
import {
  balance, blockHeight, check, has, panic, predecessor, read, rememberAccount, storageBytes, write,
} from "./host";
import { YOCTO_PER_BYTE } from "./limits";
import { utf8 } from "./text";
import { U128 } from "./u128";

export const CONTRACT_VERSION = "0.3.0";
export const STATE_VERSION: u8 = 4;
/** The rule by which fuel is counted; signed with every result. */
export const COST_VERSION: u16 = 1;

export class State {
  /** Of the bytes that were loaded. */
  layout: u8 = STATE_VERSION;
  owner: Uint8Array = EMPTY;
  operator: Uint8Array = EMPTY;
  paused: bool = false;

  baseFee: U128 = new U128();
  perMillionInstructions: U128 = new U128();
  perMs: U128 = new U128();
  perCompileMs: U128 = new U128();

  chainId: Uint8Array = EMPTY;
  seatStake: U128 = new U128();
  genesisHeight: u64 = 0;
  stakeEpochBlocks: u64 = 0;
  bootstrapBlocks: u64 = 0;
  leaseBlocks: u32 = 0;
  instructionsPerBlock: u64 = 0;
  replaySeats: u32 = 0;
  replicas: u16 = 0;
  quorum: u16 = 0;
  deadlineReserveBlocks: u32 = 0;

  nextRequestId: u64 = 0;
  pendingCount: u64 = 0;
  /** Lower bound of the pages that hold pending ids (see `pending.ts`). */
  firstPendingPage: u64 = 0;

  seatsEpoch: u64 = 0;
  seatsPrevious: u32 = 0;
  seatsCurrent: u32 = 0;
  seatsNext: u32 = 0;
  nodeCount: u32 = 0;

  totalExecutions: u64 = 0;
  totalCharged: U128 = new U128();
  /** What the contract owes: stakes, payments of open requests, bonds, earnings and refunds not yet withdrawn. */
  liabilities: U128 = new U128();

  // From here on: since layout 2.
  /** Nodes with seats, in the same epochs as the seats. */
  nodesCurrent: u32 = 0;
  nodesNext: u32 = 0;
  /** The lease holder's part of a charge, in basis points; the other signers share the rest. */
  holderShareBps: u16 = 0;
  /** Blocks that an answer of less than everybody waits for objections; 0: none. */
  challengeBlocks: u16 = 0;
  /** What a lease that runs out costs its holder. */
  leasePenalty: U128 = new U128();
  /** What is locked with an objection, and lost with a false one. */
  objectionBond: U128 = new U128();
  /** Blocks between an owner's announcement and its effect; 0: none. */
  timelockBlocks: u64 = 0;
  eventStandard: Uint8Array = EMPTY;
  eventVersion: Uint8Array = EMPTY;
  /** Null: stablecoins are not taken. */
  paymentToken: Uint8Array | null = null;
  nextProjectNumber: u64 = 0;
  pricedProjects: u32 = 0;
  keystoreEpoch: u64 = 0;

  // From here on: since layout 3.
  /** The contract's own name: asking the host costs more than reading it here. */
  account: Uint8Array = EMPTY;
  /** Levels above the lowest (`levels.ts`), and open requests that have one. */
  levels: Uint8Array = EMPTY;
  requestsAboveLowest: u64 = 0;
  /** Parts of a charge, in basis points: of whoever built the code, and of whoever keeps the secrets. */
  builderShareBps: u16 = 0;
  keystoreShareBps: u16 = 0;
  /** The last epoch that became active; 0: none. */
  activeKeystoreEpoch: u64 = 0;

  // From here on: since layout 4.
  /** The first request that today's prices hold for (`prices.ts`). */
  pricedFrom: u64 = 0;
  /** Digests that are announced: where there are none, the end of a request need not look for one. */
  announced: u32 = 0;

  static exists(): bool { return has(utf8("STATE")); }

  static load(): State {
    const state = State.loadAny();
    check(state.layout == STATE_VERSION, "OldState: call migrate first");
    return state;
  }

  /** A state of this layout, or of an older one whose later fields are not set. */
  static loadAny(): State {
    const bytes = read(utf8("STATE"));
    if (!bytes) panic("NotInitialized: call new first");
    const state = new State(), field = new BorshField(new BorshReader(bytes!.subarray(1)), null);
    state.layout = bytes![0];
    check(state.layout > 0 && state.layout <= STATE_VERSION, "BadRecord: a state of a later version");
    state.firstLayout(field);
    if (state.layout > 1) state.secondLayout(field);
    if (state.layout > 2) state.thirdLayout(field);
    if (state.layout > 3) state.fourthLayout(field);
    if (state.account.length > 0) rememberAccount(state.account);
    state.rollSeats();
    return state;
  }

  save(): void {
    const w = new BorshWriter(512);
    w.u8(STATE_VERSION);
    const field = new BorshField(null, w);
    this.firstLayout(field);
    this.secondLayout(field);
    this.thirdLayout(field);
    this.fourthLayout(field);
    write(utf8("STATE"), w.done());
  }

  private fourthLayout(f: BorshField): void {
    this.pricedFrom = f.u64(this.pricedFrom);
    this.announced = f.u32(this.announced);
  }

  private thirdLayout(f: BorshField): void {
    this.account = f.bytes(this.account);
    this.levels = f.bytes(this.levels);
    this.requestsAboveLowest = f.u64(this.requestsAboveLowest);
    this.builderShareBps = f.u16(this.builderShareBps);
    this.keystoreShareBps = f.u16(this.keystoreShareBps);
    this.activeKeystoreEpoch = f.u64(this.activeKeystoreEpoch);
  }

  private secondLayout(f: BorshField): void {
    this.nodesCurrent = f.u32(this.nodesCurrent);
    this.nodesNext = f.u32(this.nodesNext);
    this.holderShareBps = f.u16(this.holderShareBps);
    this.challengeBlocks = f.u16(this.challengeBlocks);
    this.leasePenalty = f.u128(this.leasePenalty);
    this.objectionBond = f.u128(this.objectionBond);
    this.timelockBlocks = f.u64(this.timelockBlocks);
    this.eventStandard = f.bytes(this.eventStandard);
    this.eventVersion = f.bytes(this.eventVersion);
    this.paymentToken = f.optionBytes(this.paymentToken);
    this.nextProjectNumber = f.u64(this.nextProjectNumber);
    this.pricedProjects = f.u32(this.pricedProjects);
    this.keystoreEpoch = f.u64(this.keystoreEpoch);
  }

  /** The fields of layout 1, with which all later layouts begin. */
  private firstLayout(f: BorshField): void {
    this.owner = f.bytes(this.owner);
    this.operator = f.bytes(this.operator);
    this.paused = f.bool(this.paused);
    this.baseFee = f.u128(this.baseFee);
    this.perMillionInstructions = f.u128(this.perMillionInstructions);
    this.perMs = f.u128(this.perMs);
    this.perCompileMs = f.u128(this.perCompileMs);
    this.chainId = f.bytes(this.chainId);
    this.seatStake = f.u128(this.seatStake);
    this.genesisHeight = f.u64(this.genesisHeight);
    this.stakeEpochBlocks = f.u64(this.stakeEpochBlocks);
    this.bootstrapBlocks = f.u64(this.bootstrapBlocks);
    this.leaseBlocks = f.u32(this.leaseBlocks);
    this.instructionsPerBlock = f.u64(this.instructionsPerBlock);
    this.replaySeats = f.u32(this.replaySeats);
    this.replicas = f.u16(this.replicas);
    this.quorum = f.u16(this.quorum);
    this.deadlineReserveBlocks = f.u32(this.deadlineReserveBlocks);
    this.nextRequestId = f.u64(this.nextRequestId);
    this.pendingCount = f.u64(this.pendingCount);
    this.firstPendingPage = f.u64(this.firstPendingPage);
    this.seatsEpoch = f.u64(this.seatsEpoch);
    this.seatsPrevious = f.u32(this.seatsPrevious);
    this.seatsCurrent = f.u32(this.seatsCurrent);
    this.seatsNext = f.u32(this.seatsNext);
    this.nodeCount = f.u32(this.nodeCount);
    this.totalExecutions = f.u64(this.totalExecutions);
    this.totalCharged = f.u128(this.totalCharged);
    this.liabilities = f.u128(this.liabilities);
  }

  stakeEpoch(): u64 { return (blockHeight() - this.genesisHeight) / this.stakeEpochBlocks; }
  isBootstrap(): bool { return blockHeight() - this.genesisHeight < this.bootstrapBlocks; }

  private rollSeats(): void {
    const epoch = this.stakeEpoch();
    if (epoch <= this.seatsEpoch) return;
    this.seatsPrevious = epoch == this.seatsEpoch + 1 ? this.seatsCurrent : this.seatsNext;
    this.seatsCurrent = this.seatsNext;
    this.nodesCurrent = this.nodesNext;
    this.seatsEpoch = epoch;
  }

  /** Whether any open request can have an answer that waits for objections. */
  get answersMayWait(): bool { return this.challengeBlocks > 0 || this.requestsAboveLowest > 0; }

  /**
   * Equal attestations that this many nodes can be asked for: two thirds of them, but two where there are two, so
   * that a small network answers at all and a single node alone never does where it has company.
   */
  quorumAmong(nodes: u32, wanted: u16): u16 {
    if (nodes <= 1) return 1;
    return <u16>min<u32>(wanted, max<u32>(2, (2 * nodes + 2) / 3));
  }

  assertOwner(): void {
    check(same(predecessor(), this.owner), "OwnerOnly: only the owner may call this");
  }

  /** A pause stops new requests; those that are open are still served. */
  assertRunning(): void { check(!this.paused, "Paused: the contract takes no requests"); }

  owes(amount: U128): void { this.liabilities = this.liabilities.plus(amount); }
  settles(amount: U128): void { this.liabilities = this.liabilities.minus(amount); }

  /**
   * What the contract owes and what its bytes lock must be covered by what it has, and `reserveBytes` besides. Called
   * after the last write.
   */
  assertSolvent(reserveBytes: u64 = 0): void {
    const locked = new U128(YOCTO_PER_BYTE).times(storageBytes() + reserveBytes);
    check(
      !balance().lessThan(this.liabilities.plus(locked)),
      "StorageNotCovered: the contract's free balance does not cover the bytes that this call stores",
    );
  }
}
