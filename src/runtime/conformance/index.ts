/** Conformance as data: what every store and every engine does, for tests of any runner. */
export { engineConformance, engineSkips } from "./engine.ts";
export type { EngineCase, EngineSkip, OpenStore as OpenEngineStore } from "./engine.ts";
export { storeCapabilities, storeConformance, storeKinds, storeSkips } from "./store.ts";
export type { OpenStore, StoreCapability, StoreCase, StoreSkip } from "./store.ts";
