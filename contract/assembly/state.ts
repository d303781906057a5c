/**
 * The contract's own record, under the key `STATE`: parameters that `new` fixes, prices, counters and the totals that
 * make a request's pinned epoch an O(1) matter. One read and one write a call.
 */
import { BorshReader, BorshWriter } from "./borsh";
import { same } from "./buffer";
import { balance, blockHeight, check, has, panic, predecessor, read, storageBytes, utf8, write } from "./host";
import { YOCTO_PER_BYTE } from "./limits";
import { U128 } from "./u128";

export const CONTRACT_VERSION = "0.1.0";
/** The rule by which fuel is counted; signed with every result. */
export const COST_VERSION: u16 = 1;

export class State {
  owner: Uint8Array = new Uint8Array(0);
  operator: Uint8Array = new Uint8Array(0);
  paused: bool = false;

  baseFee: U128 = new U128();
  perMillionInstructions: U128 = new U128();
  perMs: U128 = new U128();
  perCompileMs: U128 = new U128();

  chainId: Uint8Array = new Uint8Array(0);
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
  /** What the contract owes: stakes, payments of open requests, earnings not yet withdrawn. */
  liabilities: U128 = new U128();

  static exists(): bool { return has(utf8("STATE")); }

  static load(): State {
    const bytes = read(utf8("STATE"));
    if (!bytes) panic("NotInitialized: call new first");
    const r = new BorshReader(bytes!);
    const s = new State();
    check(r.u8() == 1, "BadRecord: a state of another version");
    s.owner = r.bytes();
    s.operator = r.bytes();
    s.paused = r.bool();
    s.baseFee = r.u128();
    s.perMillionInstructions = r.u128();
    s.perMs = r.u128();
    s.perCompileMs = r.u128();
    s.chainId = r.bytes();
    s.seatStake = r.u128();
    s.genesisHeight = r.u64();
    s.stakeEpochBlocks = r.u64();
    s.bootstrapBlocks = r.u64();
    s.leaseBlocks = r.u32();
    s.instructionsPerBlock = r.u64();
    s.replaySeats = r.u32();
    s.replicas = r.u16();
    s.quorum = r.u16();
    s.deadlineReserveBlocks = r.u32();
    s.nextRequestId = r.u64();
    s.pendingCount = r.u64();
    s.firstPendingPage = r.u64();
    s.seatsEpoch = r.u64();
    s.seatsPrevious = r.u32();
    s.seatsCurrent = r.u32();
    s.seatsNext = r.u32();
    s.nodeCount = r.u32();
    s.totalExecutions = r.u64();
    s.totalCharged = r.u128();
    s.liabilities = r.u128();
    s.rollSeats();
    return s;
  }

  save(): void {
    const w = new BorshWriter(512);
    w.u8(1);
    w.bytes(this.owner);
    w.bytes(this.operator);
    w.bool(this.paused);
    w.u128(this.baseFee);
    w.u128(this.perMillionInstructions);
    w.u128(this.perMs);
    w.u128(this.perCompileMs);
    w.bytes(this.chainId);
    w.u128(this.seatStake);
    w.u64(this.genesisHeight);
    w.u64(this.stakeEpochBlocks);
    w.u64(this.bootstrapBlocks);
    w.u32(this.leaseBlocks);
    w.u64(this.instructionsPerBlock);
    w.u32(this.replaySeats);
    w.u16(this.replicas);
    w.u16(this.quorum);
    w.u32(this.deadlineReserveBlocks);
    w.u64(this.nextRequestId);
    w.u64(this.pendingCount);
    w.u64(this.firstPendingPage);
    w.u64(this.seatsEpoch);
    w.u32(this.seatsPrevious);
    w.u32(this.seatsCurrent);
    w.u32(this.seatsNext);
    w.u32(this.nodeCount);
    w.u64(this.totalExecutions);
    w.u128(this.totalCharged);
    w.u128(this.liabilities);
    write(utf8("STATE"), w.done());
  }

  stakeEpoch(): u64 { return (blockHeight() - this.genesisHeight) / this.stakeEpochBlocks; }
  isBootstrap(): bool { return blockHeight() - this.genesisHeight < this.bootstrapBlocks; }

  private rollSeats(): void {
    const epoch = this.stakeEpoch();
    if (epoch <= this.seatsEpoch) return;
    this.seatsPrevious = epoch == this.seatsEpoch + 1 ? this.seatsCurrent : this.seatsNext;
    this.seatsCurrent = this.seatsNext;
    this.seatsEpoch = epoch;
  }

  assertOwner(): void {
    check(same(predecessor(), this.owner), "OwnerOnly: only the owner may call this");
  }

  /** A pause stops new requests; those that are open are still served. */
  assertRunning(): void { check(!this.paused, "Paused: the contract takes no requests"); }

  owes(amount: U128): void { this.liabilities = this.liabilities.plus(amount); }
  settles(amount: U128): void { this.liabilities = this.liabilities.minus(amount); }

  /** What the contract owes and what its bytes lock must be covered by what it has. Called after the last write. */
  assertSolvent(): void {
    const locked = new U128(YOCTO_PER_BYTE).times(storageBytes());
    check(
      !balance().lessThan(this.liabilities.plus(locked)),
      "StorageNotCovered: the contract's free balance does not cover the bytes that this call stores",
    );
  }
}
