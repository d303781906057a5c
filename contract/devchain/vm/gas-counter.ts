/**
 * Counts the gas of one function call: what is burnt, and what is promised to the calls it makes.
 * Follows near-vm-runner 0.38.0 logic/gas_counter.rs. Amounts are numbers: every limit is below 2^53, and what
 * exceeds the limits ends the call, so no count that lives on is ever rounded.
 */
import { EXT_COSTS, type ExtCost, LIMITS } from "../parameters/protocol-config.ts";
import { type ContractError, hostError, integerOverflow } from "./vm-error.ts";

const U64_END = 1n << 64n;

export class GasCounter {
  burnt = 0;
  /** Gas that is attached to promises, or prepaid for their execution. */
  promised = 0;
  readonly #prepaid: number;
  readonly #isView: boolean;
  /** How far `burnt` may go: less than what was prepaid once some of it is promised away. */
  #limit: number;

  constructor(prepaidGas: number, isView: boolean) {
    this.#isView = isView;
    this.#prepaid = isView ? LIMITS.max_gas_burnt : prepaidGas;
    this.#limit = Math.min(LIMITS.max_gas_burnt, this.#prepaid);
  }

  get used(): number {
    return this.burnt + this.promised;
  }

  get remaining(): number {
    return Math.max(0, this.#prepaid - this.used);
  }

  burn(gas: number): void {
    const burnt = this.burnt + gas;
    if (burnt > this.#limit) throw this.#exceed(burnt, burnt + this.promised);
    this.burnt = burnt;
  }

  payBase(cost: ExtCost): void {
    this.burn(EXT_COSTS[cost]);
  }

  payPer(cost: ExtCost, count: number | bigint): void {
    const gas = EXT_COSTS[cost] * Number(count);
    if (gas > Number.MAX_SAFE_INTEGER && BigInt(EXT_COSTS[cost]) * BigInt(count) + BigInt(this.burnt) >= U64_END) {
      throw integerOverflow();
    }
    this.burn(gas);
  }

  /** Burns `burn` now and sets `use - burn` aside for what the promise will burn later. */
  payAction(burn: number, use: number): void {
    const burnt = this.burnt + burn;
    const promised = this.promised + (use - burn);
    if (burnt > LIMITS.max_gas_burnt || burnt + promised > this.#prepaid) throw this.#exceed(burnt, burnt + promised);
    if (use !== burn && !this.#isView) this.#limit = Math.min(LIMITS.max_gas_burnt, this.#prepaid - promised);
    this.burnt = burnt;
    this.promised = promised;
  }

  /** Attaches gas (a u64 from the contract) to a promise. */
  prepay(gas: bigint): void {
    if (gas + BigInt(this.used) >= U64_END) throw integerOverflow();
    this.payAction(0, Number(gas));
  }

  #exceed(burnt: number, used: number): ContractError {
    this.burnt = Math.min(burnt, this.#prepaid, LIMITS.max_gas_burnt);
    this.promised = Math.max(0, Math.min(this.#prepaid, used) - this.burnt);
    return burnt > LIMITS.max_gas_burnt
      ? hostError("GasLimitExceeded", "Exceeded the maximum amount of gas allowed to burn per contract.")
      : hostError("GasExceeded", "Exceeded the prepaid gas.");
  }
}
