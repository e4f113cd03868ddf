/** What tests of controllers need. */
export { mount } from "./mount.ts";
export type { Mounted, MountOptions } from "./mount.ts";
export { seededRandom } from "./seeded-random.ts";
