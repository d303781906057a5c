/**
 * The node failed to run a guest. Never a result: another try, here or elsewhere, may succeed. What the guest itself
 * does wrong is an ExecutionOutcome.
 */
export type EngineFaultCode =
  /** The run did not end within the pool's wall time. */
  | "wallTime"
  /** The engine did not compile the guest within its time, before it ran. */
  | "compileTime"
  /** The child took more memory than guest and engine together may need. */
  | "memory"
  /** The child ended while it worked, or could not be started. */
  | "childExited"
  /** The engine refused rewritten bytes, ran out of memory, or overflowed its own stack. */
  | "engineFailure"
  /** The child answered something that no honest child answers. */
  | "malformedAnswer"
  /** V8 and its auditor came to different outcomes. */
  | "enginesDisagree"
  /** Too many jobs wait already. */
  | "queueFull"
  /** The pool was stopped. */
  | "stopped";

export class EngineFault extends Error {
  override readonly name = "EngineFault";
  readonly code: EngineFaultCode;

  constructor(code: EngineFaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
