/** Where things are. */
import { dirname, join } from "node:path";

/** The root of the checkout. */
export const root = dirname(import.meta.dirname);
export const launcher = join(root, "bin", "trustplane");
export const oursMain = join(import.meta.dirname, "ours", "main.ts");
export const goModule = join(import.meta.dirname, "go");
export const apiServerMain = join(import.meta.dirname, "ours", "api-server.ts");
