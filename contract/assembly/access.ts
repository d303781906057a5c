/**
 * Access conditions of secrets. The contract checks their structure and keeps their spelling; key holders judge them.
 * A pattern is a regular expression of bounded length without the constructs that make matching explode: groups that
 * repeat, back references and look-arounds.
 */
import { parseAccount } from "./accounts";

import { check, panic } from "./host";
import { Json } from "./json";
import { MAX_CONDITIONS, MAX_CONDITION_DEPTH, MAX_NAME_BYTES, MAX_WHITELIST } from "./limits";
import { sameText } from "./text";

let conditions: i32 = 0;

/** The condition's own bytes, once they are known to be one. */
export function parseAccess(value: Json, most: i32): Uint8Array {
  conditions = 0;
  checkCondition(value, 0);
  const raw = value.raw();
  check(raw.length <= most, "TooLong: access");
  return raw;
}

function isComparison(name: Uint8Array): bool {
  return sameText(name, "Gte") || sameText(name, "Lte") || sameText(name, "Gt") || sameText(name, "Lt") ||
    sameText(name, "Eq") || sameText(name, "Ne");
}

function isConnective(name: Uint8Array): bool { return sameText(name, "And") || sameText(name, "Or"); }

function checkCondition(value: Json, depth: i32): void {
  check(++conditions <= MAX_CONDITIONS && depth <= MAX_CONDITION_DEPTH, "BadAccess: too many conditions, or too deep");
  if (value.isText()) {
    check(sameText(value.text(MAX_NAME_BYTES), "AllowAll"), "BadAccess: unknown condition");
    return;
  }
  const variants = value.object();
  check(variants.count == 1, "BadAccess: a condition has exactly one variant");
  let body = variants.optional("Whitelist");
  if (body) {
    const accounts = body.object().required("accounts").elements(MAX_WHITELIST);
    for (let i = 0; i < accounts.length; i++) parseAccount(accounts[i]);
    return;
  }
  body = variants.optional("AccountPattern");
  if (body) return checkPattern(body.object().required("pattern").text(MAX_NAME_BYTES));
  body = variants.optional("NearBalance");
  if (body) return checkComparison(body, false);
  body = variants.optional("FtBalance");
  if (body) return checkComparison(body, true);
  body = variants.optional("NftOwned");
  if (body) {
    const fields = body.object(), token = fields.optional("token_id");
    parseAccount(fields.required("contract"));
    if (token) token.text(MAX_NAME_BYTES);
    return;
  }
  body = variants.optional("DaoMember");
  if (body) {
    const fields = body.object();
    parseAccount(fields.required("dao_contract"));
    fields.required("role").text(MAX_NAME_BYTES);
    return;
  }
  body = variants.optional("Not");
  if (body) return checkCondition(body.object().required("condition"), depth + 1);
  body = variants.optional("Logic");
  if (!body) {
    panic("BadAccess: unknown condition");
    return;
  }
  const fields = body.object();
  check(isConnective(fields.required("operator").text(MAX_NAME_BYTES)), "BadAccess: unknown operator");
  const parts = fields.required("conditions").elements(MAX_CONDITIONS);
  check(parts.length > 0, "BadAccess: no conditions to combine");
  for (let i = 0; i < parts.length; i++) checkCondition(parts[i], depth + 1);
}

function checkComparison(value: Json, ofToken: bool): void {
  const fields = value.object();
  if (ofToken) parseAccount(fields.required("contract"));
  check(isComparison(fields.required("operator").text(MAX_NAME_BYTES)), "BadAccess: unknown operator");
  fields.required("value").amount();
}

/** Structure only: whether it compiles is for key holders to see, who then deny. */
function checkPattern(pattern: Uint8Array): void {
  check(pattern.length > 0, "BadPattern: empty");
  let depth = 0, inClass = false, quantifiers = 0;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i], next: u8 = i + 1 < pattern.length ? pattern[i + 1] : 0;
    check(c >= 0x20 && c < 0x7f, "BadPattern: printable ASCII only");
    if (c == 0x5c) {
      check(next != 0 && !(next >= 0x30 && next <= 0x39) && next != 0x6b, "BadPattern: back references are refused");
      i++;
    } else if (inClass) inClass = c != 0x5d;
    else if (c == 0x5b) inClass = true;
    else if (c == 0x28) {
      depth++;
      check(next != 0x3f || (i + 2 < pattern.length && pattern[i + 2] == 0x3a), "BadPattern: look-around is refused");
    } else if (c == 0x29) {
      check(--depth >= 0, "BadPattern: unbalanced");
      check(next != 0x2a && next != 0x2b && next != 0x7b, "BadPattern: repeated groups are refused");
    } else if (c == 0x2a || c == 0x2b || c == 0x7b) {
      check(++quantifiers <= 8, "BadPattern: more than 8 repetitions");
    }
  }
  check(depth == 0 && !inClass, "BadPattern: unbalanced");
}
