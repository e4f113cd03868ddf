/** Simulations of ourselves: scenarios, and ways to run them. */
export { daysOf, wholeHorizon } from "./horizon.ts";
export { leastHorizon, scenarios } from "./scenarios.ts";
export { soak, type SoakProgress, type SoakResult } from "./soak.ts";
export { summary } from "./summary.ts";
