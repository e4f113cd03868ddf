/** What every store must do, as data: run each case on a way to open a store. */
import { bookmarks } from "./conformance/bookmarks.ts";
import { changes } from "./conformance/changes.ts";
import { commits } from "./conformance/commits.ts";
import { crud } from "./conformance/crud.ts";
import type { Case } from "./conformance/suite.ts";
import { watches } from "./conformance/watches.ts";

export type { Case, Open } from "./conformance/suite.ts";

export const storeConformance: readonly Case[] = [
  ...crud,
  ...changes,
  ...watches,
  ...bookmarks,
  ...commits,
];
