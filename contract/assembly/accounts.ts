/** Account ids in arguments (nearcore `near-account-id`: 2 to 64 of a-z 0-9, with single separators - _ . inside). */
import { check } from "./host";
import { Json } from "./json";
import { MAX_ACCOUNT_ID_BYTES } from "./limits";
import { Message } from "./message";
import { Text } from "./text";

export function parseAccount(value: Json): Uint8Array {
  const account = value.text(MAX_ACCOUNT_ID_BYTES);
  checkAccount(account, value.name);
  return account;
}

export function checkAccount(account: Uint8Array, name: Text): void {
  check(account.length <= MAX_ACCOUNT_ID_BYTES, "TooLong: an account id has at most 64 bytes");
  let separated = true;
  const end = account.dataStart + account.length;
  for (let p = account.dataStart; p < end; p++) {
    const c = load<u8>(p);
    const separator = c == 0x2d || c == 0x5f || c == 0x2e;
    const letter = (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39);
    if (separator ? separated : !letter) new Message("BadAccountId: ").literal(name).panic();
    separated = separator;
  }
  if (separated || account.length < 2) new Message("BadAccountId: ").literal(name).panic();
}
