/**
 * Fees of actions that came after the view of the fee table was frozen, so that its snapshot has no place for them:
 * near-parameters 0.38.0, res/runtime_configs/parameters.yaml with the differences up to 88.yaml.
 */
import type { Fee } from "./protocol-config.ts";

const fee = (send_sir: number, send_not_sir: number, execution: number): Fee => ({ send_sir, send_not_sir, execution });

export const LATER_FEES = {
  deployGlobalContract: fee(184_765_750_000, 184_765_750_000, 184_765_750_000),
  deployGlobalContractByte: fee(6_812_999, 47_683_715, 70_000_000),
  useGlobalContract: fee(184_765_750_000, 184_765_750_000, 184_765_750_000),
  useGlobalContractByte: fee(6_812_999, 47_683_715, 64_572_944),
  stateInit: fee(500_000_000_000, 500_000_000_000, 7_430_000_000_000),
  stateInitEntry: fee(0, 0, 200_000_000_000),
  stateInitByte: fee(72_000_000, 72_000_000, 70_000_000),
  universalStateInit: fee(500_000_000_000, 500_000_000_000, 7_430_000_000_000),
  universalStateInitEntry: fee(3_100_000_000, 3_100_000_000, 200_000_000_000),
  universalStateInitByte: fee(78_000_000, 78_000_000, 74_000_000),
  gasKeyTransfer: fee(115_123_062_500, 115_123_062_500, 235_676_644_250),
  gasKeyByte: fee(59_357_464, 59_357_464, 101_435_400),
  gasKeyNonceWrite: fee(0, 0, 64_196_736_000),
} as const;

/** Yocto that sharing one byte of code costs for good. */
export const GLOBAL_CONTRACT_YOCTO_PER_BYTE = 10n ** 20n;
/** Of all state inits in a receipt. */
export const MAX_STATE_INIT_ENTRIES = 1_500;
