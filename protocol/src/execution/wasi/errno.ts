/** Error numbers of WASI preview 1 (witx `errno`) that this host gives. */
export const Errno = {
  success: 0,
  badf: 8,
  fault: 21,
  inval: 28,
  notdir: 54,
  notsock: 57,
  notsup: 58,
  spipe: 70,
} as const;

/** Ends a host function early with an error number. */
export class ErrnoError extends Error {
  override readonly name = "ErrnoError";
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}
