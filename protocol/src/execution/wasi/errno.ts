/** Error numbers of WASI preview 1 (witx `errno`) that this host gives. */
export const Errno = {
  success: 0,
  badf: 8,
  busy: 10,
  exist: 20,
  fault: 21,
  fbig: 22,
  ilseq: 25,
  inval: 28,
  isdir: 31,
  loop: 32,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  nospc: 51,
  notdir: 54,
  notempty: 55,
  notsock: 57,
  notsup: 58,
  perm: 63,
  spipe: 70,
} as const;

/**
 * Ends a host function early with an error number. No `Error`: nobody reads its stack, and recording one takes ten
 * times as long as everything else that a failing call does.
 */
export class ErrnoError {
  readonly errno: number;

  constructor(errno: number) {
    this.errno = errno;
  }
}
