/**
 * Bytes at the cost of whoever stores them: what a call adds is paid from its deposit, what it frees is paid back,
 * and so is what was attached too much. Measured by the host, so nothing is forgotten and nothing is invented.
 */
import { attachedDeposit, storageBytes, transfer } from "./host";
import { YOCTO_PER_BYTE } from "./limits";
import { Message } from "./message";
import { U128 } from "./u128";

export class StorageMeter {
  private before: u64 = storageBytes();

  /** After the last write. Returns what the bytes that were added cost. */
  charge(account: Uint8Array): U128 {
    const after = storageBytes(), attached = attachedDeposit(), price = new U128(YOCTO_PER_BYTE);
    if (after <= this.before) {
      this.payBack(account, attached.plus(price.times(this.before - after)));
      return new U128();
    }
    const cost = price.times(after - this.before);
    if (attached.lessThan(cost)) {
      new Message("InsufficientDeposit: these bytes cost ").amount(cost).literal(" yocto, attached ").amount(attached).panic();
    }
    this.payBack(account, attached.minus(cost));
    return cost;
  }

  private payBack(account: Uint8Array, amount: U128): void { if (!amount.isZero()) transfer(account, amount); }
}
