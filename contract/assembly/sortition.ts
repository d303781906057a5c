/** Tickets, eligibility and widening, the same arithmetic as `protocol/src/lease/sortition.ts`. */
import { BorshWriter } from "./borsh";
import { sha256 } from "./host";
import { wide } from "./u128";

const TICKET_DOMAIN = "outlayer/ticket/v1";
export const ROLE_LEASE: u8 = 0;
export const ROLE_REPLAY: u8 = 1;

const FIRST_LEASE_SEATS: u64 = 3;
const WIDENING_BLOCKS: u64 = 3;

/** The tickets of one request in one role. */
export class Draw {
  private w: BorshWriter = new BorshWriter();
  /** Of what all its tickets begin with. */
  private common: i32;

  constructor(contractId: Uint8Array, seed: Uint8Array, role: u8, leaseEpoch: u32) {
    const w = this.w;
    w.text(TICKET_DOMAIN);
    w.bytes(contractId);
    w.raw(seed);
    w.u8(role);
    w.u32(leaseEpoch);
    this.common = w.length;
  }

  /** The first 64 bits of the hash over a seat's identity in the request; lower is better. */
  ticket(account: Uint8Array, seat: u32): u64 {
    const w = this.w;
    w.length = this.common;
    w.bytes(account);
    w.u32(seat);
    return bswap<u64>(load<u64>(sha256(w.done()).dataStart));
  }
}

/** ticket · seatsTotal ≤ seats · 2^64. */
export function isEligible(ticket: u64, seats: u32, seatsTotal: u32): bool {
  const product = wide(ticket, seatsTotal);
  return product.hi < seats || (product.hi == seats && product.lo == 0);
}

/** Seats that may claim at `height` a lease that has been free since `freeSince`. */
export function leaseSeats(freeSince: u64, height: u64, seatsTotal: u32): u32 {
  const waited = height - freeSince;
  const doublings: u64 = waited <= 1 ? 0 : 1 + (waited - 2) / WIDENING_BLOCKS;
  return doublings >= 31 ? seatsTotal : <u32>min<u64>(seatsTotal, FIRST_LEASE_SEATS << doublings);
}
