/** Thrown by the host through the guest's frames; guests cannot catch it, exception handling is not in their feature set. */
export class GuestStop extends Error {
  override readonly name = "GuestStop";
  readonly reason: "exit" | "outOfFuel" | "outputLimit";
  /** Meaningful for `exit` alone. */
  readonly exitCode: number;

  constructor(reason: GuestStop["reason"], exitCode = 0) {
    super(reason);
    this.reason = reason;
    this.exitCode = exitCode;
  }
}
