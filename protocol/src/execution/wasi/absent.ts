/** Sockets do not exist here: a descriptor that is open gives ENOTSOCK, any other EBADF. */
import { Errno } from "./errno.ts";
import type { HandlerTable, WasiHost } from "./host.ts";

function needsSocket(host: WasiHost, fd: number): number {
  host.descriptor(fd);
  return Errno.notsock;
}

export const ABSENT: HandlerTable = {
  sock_accept: needsSocket,
  sock_recv: needsSocket,
  sock_send: needsSocket,
  sock_shutdown: needsSocket,
};
