/** Account ids: what is one, and which kind it is (near-account-id 3.0). */

export const ACCOUNT_ID_MIN_LENGTH = 2;
export const ACCOUNT_ID_MAX_LENGTH = 64;
/** The sender of refunds; nobody can own it. */
export const SYSTEM_ACCOUNT = "system";

const ACCOUNT_ID = /^(?:[a-z\d]+[-_.])*[a-z\d]+$/;

export function isAccountId(text: string): boolean {
  return text.length >= ACCOUNT_ID_MIN_LENGTH && text.length <= ACCOUNT_ID_MAX_LENGTH && ACCOUNT_ID.test(text);
}

export type AccountKind = "named" | "near-implicit" | "eth-implicit" | "deterministic" | "universal";

export function accountKind(accountId: string): AccountKind {
  if (/^0x[0-9a-f]{40}$/.test(accountId)) return "eth-implicit";
  if (/^[0-9a-f]{64}$/.test(accountId)) return "near-implicit";
  if (/^0s[0-9a-f]{40}$/.test(accountId)) return "deterministic";
  if (/^0u[0-9a-z]{52}$/.test(accountId)) return "universal";
  return "named";
}

export function isTopLevel(accountId: string): boolean {
  return accountId !== SYSTEM_ACCOUNT && !accountId.includes(".");
}

export function isSubAccountOf(accountId: string, parent: string): boolean {
  const name = accountId.slice(0, -(parent.length + 1));
  return accountId.endsWith(`.${parent}`) && name.length > 0 && !name.includes(".");
}
