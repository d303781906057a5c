/** The accounts a chain begins with. */
import { isAccountId, SYSTEM_ACCOUNT } from "../codec/account-id.ts";
import { sha256, toHash } from "../codec/hash.ts";
import { parsePublicKey } from "../codec/public-key.ts";
import { STORAGE_USAGE } from "../parameters/protocol-config.ts";
import { newAccount } from "./actions.ts";
import { DevChainError, type GenesisAccount } from "./devchain-types.ts";
import { accessKeyBytes, type State } from "./state.ts";

/** @throws DevChainError `INVALID_OPTIONS` */
export function createGenesisAccount(state: State, genesis: GenesisAccount): void {
  const { accountId, balanceYocto, publicKey, code } = genesis;
  const invalid = (reason: string) => new DevChainError("INVALID_OPTIONS", `genesis account ${accountId}: ${reason}`);
  if (!isAccountId(accountId)) throw invalid("not an account id");
  if (accountId === SYSTEM_ACCOUNT) throw invalid("belongs to the chain itself");
  if (state.get("account", accountId, "") !== undefined) throw invalid("stands there twice");
  if (balanceYocto < 0n) throw invalid("negative balance");
  let account = newAccount(balanceYocto);
  if (publicKey !== undefined) {
    const key = parsePublicKey(publicKey);
    if (key === undefined) throw invalid(`not a public key: ${publicKey}`);
    const accessKey = { nonce: 0n, permission: { kind: "FullAccess" } } as const;
    state.set("accessKey", accountId, key, accessKey);
    const bytes = accessKeyBytes(key, accessKey) + STORAGE_USAGE.num_extra_bytes_record;
    account = { ...account, storageUsage: account.storageUsage + bytes };
  }
  if (code !== undefined) {
    state.set("code", accountId, "", code.slice());
    account = { ...account, codeHash: toHash(sha256(code)), storageUsage: account.storageUsage + code.length };
  }
  state.set("account", accountId, "", account);
  state.commit({ kind: "genesis" });
}
