/**
 * What requests are charged by: the prices of the moment they were made. Those of now stand in the state; older ones
 * are kept under `h` while a request of their time is open. Few ever are, so a request costs no byte for it.
 */
import { BorshReader, BorshWriter } from "./borsh";
import { check, read, remove, write } from "./host";
import { keyOf } from "./keys";
import { MAX_OLD_PRICES } from "./limits";
import { EMPTY } from "./buffer";
import { pendingIds } from "./pending";
import { State } from "./state";
import { U128 } from "./u128";

const OLD_PRICES_PREFIX: u8 = 0x68;

export class Prices {
  /** `until`: the first request that they do not hold for. `baseFee` is the lowest level's. */
  constructor(readonly until: u64, readonly baseFee: U128, readonly perMillionInstructions: U128) {}

  static of(state: State, requestId: u64): Prices {
    if (requestId < state.pricedFrom) {
      const old = Prices.kept();
      for (let i = 0; i < old.length; i++) if (requestId < old[i].until) return old[i];
    }
    return Prices.now(state);
  }

  private static now(state: State): Prices {
    return new Prices(state.nextRequestId, state.baseFee, state.perMillionInstructions);
  }

  /** In their order. */
  private static kept(): Prices[] {
    const bytes = read(keyOf(OLD_PRICES_PREFIX, EMPTY)), found: Prices[] = [];
    if (!bytes) return found;
    const r = new BorshReader(bytes);
    while (r.position < bytes.length) found.push(new Prices(r.u64(), r.u128(), r.u128()));
    return found;
  }

  /** Before they change: keeps those of now and of before by which an open request will be charged. */
  static keep(state: State): void {
    const all = Prices.kept(), w = new BorshWriter();
    all.push(Prices.now(state));
    let from: u64 = 0, needed = 0;
    for (let i = 0; i < all.length; i++) {
      const open = pendingIds(state, from, 0, 1);
      from = all[i].until;
      if (open.length == 0 || open[0] >= from) continue;
      needed++;
      w.u64(from);
      w.u128(all[i].baseFee);
      w.u128(all[i].perMillionInstructions);
    }
    check(needed <= MAX_OLD_PRICES, "TooManyPrices: requests of as many earlier prices as are kept are still open");
    if (needed > 0) write(keyOf(OLD_PRICES_PREFIX, EMPTY), w.done());
    else remove(keyOf(OLD_PRICES_PREFIX, EMPTY));
    state.pricedFrom = state.nextRequestId;
  }
}
