/** The names under which the contract refuses a call, and the client's own error. */

/** Every panic of the contract begins with one of these and a colon; a test compares them with its sources. */
export const PANIC_CODES = [
  "AlreadyExiting",
  "AlreadyHolder",
  "AlreadyInitialized",
  "AlreadyRegistered",
  "AlreadyResolved",
  "AmountOverflow",
  "AmountUnderflow",
  "AttachedUsdUnavailable",
  "BadAccountId",
  "BadAmount",
  "BadFormat",
  "BadHash",
  "BadJson",
  "BadName",
  "BadNetwork",
  "BadOutput",
  "BadPublicKey",
  "BadRecord",
  "BadSignature",
  "BadSignatureEncoding",
  "BadSource",
  "BadType",
  "BelowQuorum",
  "DeadlinePassed",
  "Draining",
  "DuplicateField",
  "DuplicateSigner",
  "EventTooLong",
  "FastfsWithoutRebuild",
  "ForceRebuildOfWasmUrl",
  "FormerHolder",
  "InputOfCompileOnly",
  "InsufficientPayment",
  "KeyTaken",
  "LeaseHeld",
  "MissingField",
  "NoLease",
  "NoSuchRequest",
  "NoSuchSeat",
  "NotEligible",
  "NotInCommittee",
  "NotInitialized",
  "NotRegistered",
  "NotStale",
  "NotTheCaller",
  "NothingToWithdraw",
  "OldState",
  "OwnerOnly",
  "Paused",
  "Private",
  "ProjectsUnavailable",
  "StakeLocked",
  "StakeTooSmall",
  "StorageNotCovered",
  "TicketNotBetter",
  "TooLarge",
  "TooLong",
  "TooManyInstructions",
  "TooManyLeases",
  "TooManySeats",
  "TooManySeconds",
  "Trap",
  "WrongCode",
  "WrongLeaseEpoch",
  "YieldOver",
] as const;
export type PanicCode = (typeof PANIC_CODES)[number];

const codes = new Set<string>(PANIC_CODES);

/** The contract's code in an execution error, however the RPC wrapped it; undefined for any other failure. */
export function panicCode(message: string): PanicCode | undefined {
  for (const match of message.matchAll(/\b([A-Z][A-Za-z]+): /g)) {
    if (codes.has(match[1]!)) return match[1] as PanicCode;
  }
  return undefined;
}

/** An answer of a node's RPC that is not what the contract's views return. */
export class ContractViewError extends Error {
  readonly code: "badJson" | "badShape" | "badRecord";
  constructor(code: ContractViewError["code"], detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.name = "ContractViewError";
    this.code = code;
  }
}
