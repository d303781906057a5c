/** Account ids in arguments (nearcore `near-account-id`: 2 to 64 of a-z 0-9, with single separators - _ . inside). */
import { Json } from "./json";
import { MAX_ACCOUNT_ID_BYTES } from "./limits";
import { Message } from "./message";

export function parseAccount(value: Json): Uint8Array {
  const account = value.text(MAX_ACCOUNT_ID_BYTES);
  let separated = true;
  for (let i = 0; i < account.length; i++) {
    const c = account[i];
    const separator = c == 0x2d || c == 0x5f || c == 0x2e;
    const letter = (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39);
    if (separator ? separated : !letter) new Message("BadAccountId: ").literal(value.name).panic();
    separated = separator;
  }
  if (separated || account.length < 2) new Message("BadAccountId: ").literal(value.name).panic();
  return account;
}
