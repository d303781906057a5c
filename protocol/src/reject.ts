/**
 * Why a peer's input was refused. A closed set: the driver turns `severity` into the transport's own penalty, and
 * `docs/spec/worker.md` says what each code means.
 */
export const REJECTIONS = {
  /** Not decodable, or not in the one canonical spelling: nobody honest sends it. */
  malformed: "penalise",
  /** The envelope names an account whose registered key did not sign it. */
  foreignKey: "penalise",
  /** A seat that the named account does not have, or whose ticket is not eligible. */
  notEligible: "penalise",
  /** A signature of a result that does not hold for the statement it stands for. */
  badAttestation: "penalise",
  /** An opening that does not match the commitment sent before. */
  brokenCommitment: "penalise",
  /** The request or node is not known here: too early, too late, or made up; honest peers can be ahead of us. */
  unknownRequest: "ignore",
  unknownNode: "ignore",
  /** About a lease that is no longer, or not yet, the one on the chain. */
  staleLease: "ignore",
  /** Addressed to the lease holder, and this node is not it. */
  notHolder: "ignore",
  /** Already known. */
  duplicate: "ignore",
} as const;

export type RejectionCode = keyof typeof REJECTIONS;

export interface Rejection {
  readonly code: RejectionCode;
  readonly detail: string;
}
