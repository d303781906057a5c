/**
 * The embedded NEAR chain. In a process of its own: `main.ts`. Behind JSON-RPC: `openDevChain` or `new DevChain`,
 * then `startDevChainServer`. Without any of it, on virtual time: `new DevChain` and `produceBlock`.
 */
export { BLOCK_GAS_LIMIT, DevChain, GAS_PRICE } from "./chain/devchain.ts";
export {
  type BlockInputs,
  type BlockListener,
  type BlockReference,
  type ChainInput,
  DevChainError,
  type DevChainErrorCode,
  type DevChainOptions,
  type Finality,
  type ForkOptions,
  GENESIS_HEIGHT,
  type GenesisAccount,
  type InputListener,
  type ViewResult,
} from "./chain/devchain-types.ts";
export type { ChainSnapshot, StatePatch } from "./chain/snapshot.ts";
export type { Account, ChangeCause, StateChange, StateView } from "./chain/state.ts";
export type {
  ActionReceipt,
  Block,
  ErrorJson,
  ExecutionOutcome,
  OutcomeStatus,
  TransactionRecord,
} from "./chain/types.ts";
export { InvalidTransactionError } from "./chain/verifier.ts";
export type { AccessKey, AccessKeyPermission, Action } from "./codec/action.ts";
export { type CodecErrorCode, type SignedTransaction, TransactionCodecError } from "./codec/transaction.ts";
export { DevChainCommandError, runDevChainCommand } from "./command.ts";
export { PROTOCOL_CONFIG, PROTOCOL_VERSION } from "./parameters/protocol-config.ts";
export type { RpcFaults } from "./rpc/faults.ts";
export {
  type DevChainServer,
  DevChainServerError,
  type DevChainServerOptions,
  startDevChainServer,
} from "./rpc/server.ts";
export { FrameLogError, type FrameLogErrorCode } from "./storage/frame-log.ts";
export { GenesisFileError, genesisFromJson, genesisToJson, readGenesisAccounts } from "./storage/genesis-file.ts";
export {
  OpenDevChainError,
  type OpenDevChainErrorCode,
  type OpenDevChainOptions,
  type OpenedDevChain,
  openDevChain,
} from "./storage/open-devchain.ts";
export {
  decodeSnapshotFile,
  encodeSnapshotFile,
  SnapshotFileError,
  type SnapshotFileErrorCode,
} from "./storage/snapshot-file.ts";
export { ContractError, type FunctionCallFailure } from "./vm/vm-error.ts";
