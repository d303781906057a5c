// Runs before every script of the project. TypeScript is run without a build step and libp2p 3 needs
// Promise.withResolvers, so an older Node must stop here with a sentence, not with a stack trace.
const [major] = process.versions.node.split(".").map(Number);
if (major < 24) {
  console.error(
    `outlayer needs Node 24 or newer to develop, and this is ${process.version}: run "npm ci" (without --omit=optional), which brings Node 24 along.`,
  );
  process.exit(1);
}
