/** Verification of certificates under accepted authorities. */
export { verifyChain, type ChainRequest } from "./chain.ts";
export { isFor, matchesDnsName, type HostName } from "./names.ts";
export { allowsUsage, type Usage } from "./usage.ts";
export type { ChainCode, ChainFault, ChainVerdict } from "./verdict.ts";
