/** The version of this package, for the API, the log and `--version`. */
import manifest from "../package.json" with { type: "json" };

export const VERSION: string = manifest.version;
