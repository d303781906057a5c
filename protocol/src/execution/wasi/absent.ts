/**
 * Functions for what does not exist here: directories and sockets. A descriptor that is open but of the wrong kind
 * gives ENOTDIR or ENOTSOCK, any other EBADF.
 */
import { Errno } from "./errno.ts";
import type { HandlerTable, WasiHost } from "./host.ts";

function needsDirectory(host: WasiHost, fd: number): number {
  host.descriptor(fd);
  return Errno.notdir;
}

/** Path functions that name a directory elsewhere than in their first parameter, or name two. */
function needsDirectories(first: number, second: number | undefined) {
  return (host: WasiHost, ...values: (number | bigint)[]): number => {
    host.descriptor(Number(values[first]));
    if (second !== undefined) host.descriptor(Number(values[second]));
    return Errno.notdir;
  };
}

function needsSocket(host: WasiHost, fd: number): number {
  host.descriptor(fd);
  return Errno.notsock;
}

export const ABSENT: HandlerTable = {
  fd_prestat_get: () => Errno.badf,
  fd_prestat_dir_name: () => Errno.badf,
  path_create_directory: needsDirectory,
  path_filestat_get: needsDirectory,
  path_filestat_set_times: needsDirectory,
  path_link: needsDirectories(0, 4),
  path_open: needsDirectory,
  path_readlink: needsDirectory,
  path_remove_directory: needsDirectory,
  path_rename: needsDirectories(0, 3),
  path_symlink: needsDirectories(2, undefined),
  path_unlink_file: needsDirectory,
  sock_accept: needsSocket,
  sock_recv: needsSocket,
  sock_send: needsSocket,
  sock_shutdown: needsSocket,
};
