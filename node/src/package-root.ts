/**
 * The folder of this package. Sources stand in `src`, the bundle's files in `dist`, so from either this module finds
 * it one level up; a module deeper in `src` could not say the same of both.
 */
import { fileURLToPath } from "node:url";

export const PACKAGE_ROOT: string = fileURLToPath(new URL("..", import.meta.url));
