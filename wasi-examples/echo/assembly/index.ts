// Writes standard input to standard output, byte for byte.
import { readInput, writeBytes } from "../../wasi/assembly/index";

const input = readInput();
writeBytes(1, changetype<usize>(input), input.byteLength);
