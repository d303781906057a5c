/** Methods of today's surface that this contract does not have: each says so by its name's own code. */
import { panic } from "./host";

export function refused(): void {
  panic("Refused: this method has no place here; docs/compatibility.md says why and what to use");
}
