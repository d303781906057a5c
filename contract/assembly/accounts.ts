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
    if (<u32>c - 0x61 < 26 || <u32>c - 0x30 < 10) {
      separated = false;
      continue;
    }
    if (separated || (c != 0x2d && c != 0x5f && c != 0x2e)) new Message("BadAccountId: ").literal(name).panic();
    separated = true;
  }
  if (separated || account.length < 2) new Message("BadAccountId: ").literal(name).panic();
}
