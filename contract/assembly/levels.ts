/**
 * Levels: how sure an answer has to be, and what that costs. Level 0 is what `new` and `set_pricing` say; a network may
 * have more (`set_levels`), and a request gets the highest one that its deposit covers. What it got above level 0 is
 * pinned beside it (`z` ‖ request id), so that a later table changes nothing about it.
 */
import { BorshReader, BorshWriter } from "./borsh";
import { check, gasLeft, read, remove, write } from "./host";
import { bounded, JsonObject } from "./json";
import { JsonWriter } from "./json-writer";
import { numberedKey } from "./keys";
import {
  CALLBACK_FREE_ATTESTATIONS, CALLBACK_GAS, CALLBACK_GAS_PER_ATTESTATION, CALLBACK_GAS_PER_INPUT_BYTE,
  EXTRA_ATTESTATIONS, MAX_ATTESTATIONS, MAX_CHALLENGE_BLOCKS, MAX_LEVELS,
} from "./limits";
import { estimateCost } from "./money";
import { RequestRecord } from "./records";
import { State } from "./state";
import { U128 } from "./u128";

const TERMS_PREFIX: u8 = 0x7a;
/** What `request_execution` itself still burns after it has chosen a level. */
const REQUEST_GAS: u64 = 10_000_000_000_000;

/** No resolve pays more signers than this, so that the gas kept for the callback is enough. */
export function mostAttestations(quorum: u32): i32 {
  return min<i32>(MAX_ATTESTATIONS, 2 * quorum + EXTRA_ATTESTATIONS);
}

/** Gas kept for the callback of a request. */
export function callbackGas(quorum: u32, inputBytes: i32): u64 {
  const signers = max<i32>(0, mostAttestations(quorum) - CALLBACK_FREE_ATTESTATIONS);
  return CALLBACK_GAS + CALLBACK_GAS_PER_INPUT_BYTE * inputBytes + CALLBACK_GAS_PER_ATTESTATION * signers;
}

export class Terms {
  number: u8 = 0;
  replaySeats: u32 = 0;
  replicas: u16 = 0;
  quorum: u16 = 0;
  challengeBlocks: u16 = 0;
  baseFee: U128 = new U128();

  static lowest(state: State): Terms {
    const terms = new Terms();
    terms.replaySeats = state.replaySeats;
    terms.replicas = state.replicas;
    terms.quorum = state.quorum;
    terms.challengeBlocks = state.challengeBlocks;
    terms.baseFee = state.baseFee;
    return terms;
  }

  /** Of a request: what was pinned, or the lowest level, whose base fee is that of now (`prices.ts` has the request's). */
  static of(state: State, requestId: u64): Terms {
    const pinned = state.requestsAboveLowest > 0 ? read(numberedKey(TERMS_PREFIX, requestId)) : null;
    return pinned ? Terms.read(new BorshReader(pinned)) : Terms.lowest(state);
  }

  private static read(r: BorshReader): Terms {
    const terms = new Terms();
    terms.number = r.u8();
    terms.replaySeats = r.u32();
    terms.replicas = r.u16();
    terms.quorum = r.u16();
    terms.challengeBlocks = r.u16();
    terms.baseFee = r.u128();
    return terms;
  }

  private write(w: BorshWriter): void {
    w.u8(this.number);
    w.u32(this.replaySeats);
    w.u16(this.replicas);
    w.u16(this.quorum);
    w.u16(this.challengeBlocks);
    w.u128(this.baseFee);
  }

  private static parse(fields: JsonObject, number: u8): Terms {
    const terms = new Terms();
    terms.number = number;
    terms.replaySeats = <u32>bounded(fields, "replay_seats", 0, 1, u32.MAX_VALUE);
    terms.quorum = <u16>bounded(fields, "quorum", 0, 1, MAX_ATTESTATIONS);
    terms.replicas = <u16>bounded(fields, "replicas", terms.quorum, 1, MAX_ATTESTATIONS);
    terms.challengeBlocks = <u16>bounded(fields, "challenge_blocks", 0, 0, MAX_CHALLENGE_BLOCKS);
    terms.baseFee = fields.required("base_fee").amount();
    return terms;
  }

  /** As much of it as the network can do now. */
  fit(state: State): void {
    this.replaySeats = min<u32>(this.replaySeats, state.seatsCurrent);
    this.replicas = <u16>max<u32>(1, min<u32>(this.replicas, state.nodesCurrent));
    this.quorum = state.quorumAmong(state.nodesCurrent, this.quorum);
  }

  private sameWork(other: Terms): bool {
    return this.replaySeats == other.replaySeats && this.quorum == other.quorum &&
      this.replicas == other.replicas && this.challengeBlocks == other.challengeBlocks;
  }

  /** The levels above the lowest, cheapest first. */
  static higher(state: State): Terms[] {
    const r = new BorshReader(state.levels), found: Terms[] = [];
    while (r.position < state.levels.length) found.push(Terms.read(r));
    return found;
  }

  /** Into the state: the levels above the lowest. */
  static replace(state: State, fields: JsonObject): void {
    const rows = fields.required("levels").elements(MAX_LEVELS), w = new BorshWriter();
    let below = new U128();
    for (let i = 0; i < rows.length; i++) {
      const terms = Terms.parse(rows[i].object(), <u8>(i + 1));
      check(below.lessThan(terms.baseFee), "BadLevels: each costs more than the one before");
      below = terms.baseFee;
      terms.write(w);
    }
    state.levels = w.done();
  }

  /**
   * The highest level that the deposit covers and the attached gas can settle, fitted to the network. One that comes
   * to the same work as a cheaper one, because the network is small, is not taken.
   */
  static choose(state: State, request: RequestRecord, instructions: u64, seconds: u64): Terms {
    let chosen = Terms.lowest(state);
    chosen.fit(state);
    const levels = Terms.higher(state);
    // The payment covers the lowest estimate, so this is not below 0, whatever a level's fee is.
    const forFees = request.payment.minus(estimateCost(state, new U128(), instructions, seconds));
    for (let i = 0; i < levels.length; i++) {
      const terms = levels[i];
      terms.fit(state);
      if (forFees.lessThan(terms.baseFee) || terms.sameWork(chosen)) continue;
      if (gasLeft() < callbackGas(terms.quorum, request.input.length) + REQUEST_GAS) continue;
      chosen = terms;
    }
    return chosen;
  }

  /** Kept until the request settles. */
  pin(state: State, requestId: u64): void {
    if (this.number == 0) return;
    state.requestsAboveLowest++;
    const w = new BorshWriter(32);
    this.write(w);
    write(numberedKey(TERMS_PREFIX, requestId), w.done());
  }

  unpin(state: State, requestId: u64): void {
    if (this.number == 0) return;
    state.requestsAboveLowest--;
    remove(numberedKey(TERMS_PREFIX, requestId));
  }

  writeJson(out: JsonWriter): void {
    out.open();
    out.numberField("number", this.number);
    out.numberField("replay_seats", this.replaySeats);
    out.numberField("replicas", this.replicas);
    out.numberField("quorum", this.quorum);
    out.numberField("challenge_blocks", this.challengeBlocks);
    out.amountField("base_fee", this.baseFee);
    out.close();
  }
}
