/** The client's side of `cosi.resource.State` alone: the command line starts without the server's. */
export { StateClient, EventType } from "./gen/v1alpha1/state.ts";
export type { Event, WatchResponse } from "./gen/v1alpha1/state.ts";
export type { Resource as WireResource } from "./gen/v1alpha1/resource.ts";
