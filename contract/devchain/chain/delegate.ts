/** Delegate actions (NEP-366): a relayer's receipt at the account that signed them (nearcore runtime/src/actions.rs). */
import type { DelegateAction } from "../codec/action.ts";
import { verifySignature } from "../codec/public-key.ts";
import { ActionFailure, type ReceiptScope } from "./receipt-scope.ts";
import { checkFunctionCallKey, NONCES_PER_BLOCK } from "./verifier.ts";

/** Checks what the sender signed and takes its nonce. @throws ActionFailure */
export function acceptDelegate(scope: ReceiptScope, action: DelegateAction): void {
  const { receipt, state, blockHeight } = scope;
  const { senderId, publicKey, nonce, signature } = action;
  if (!verifySignature(publicKey, signature.data, action.signedHash)) {
    throw new ActionFailure("DelegateActionInvalidSignature");
  }
  if (BigInt(blockHeight) > action.maxBlockHeight) throw new ActionFailure("DelegateActionExpired");
  if (senderId !== receipt.receiverId) {
    throw new ActionFailure({
      DelegateActionSenderDoesNotMatchTxReceiver: { sender_id: senderId, receiver_id: receipt.receiverId },
    });
  }
  const accessKey = state.get("accessKey", senderId, publicKey);
  if (accessKey === undefined) {
    const error = { AccessKeyNotFound: { account_id: senderId, public_key: publicKey } };
    throw new ActionFailure({ DelegateActionAccessKeyError: error });
  }
  if (nonce <= accessKey.nonce) {
    const nonces = { delegate_nonce: Number(nonce), ak_nonce: Number(accessKey.nonce) };
    throw new ActionFailure({ DelegateActionInvalidNonce: nonces });
  }
  const upperBound = BigInt(blockHeight) * NONCES_PER_BLOCK;
  if (nonce >= upperBound) {
    const nonces = { delegate_nonce: Number(nonce), upper_bound: Number(upperBound) };
    throw new ActionFailure({ DelegateActionNonceTooLarge: nonces });
  }
  const error = checkFunctionCallKey(action, accessKey);
  if (error !== undefined) throw new ActionFailure({ DelegateActionAccessKeyError: error });
  state.set("accessKey", senderId, publicKey, { ...accessKey, nonce });
}
