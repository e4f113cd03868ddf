/** The last lines of the node's log, by the service that they are of. */
import { Ring } from "../apid/index.ts";

/** What a service may keep, in characters. */
const CHARACTERS_MAX = 512 * 1024;
const LINES_MAX = 10_000;
/** A longer line is cut. */
const LINE_CHARACTERS_MAX = 16 * 1024;

/** The services of a node. */
export const serviceIds = ["apid", "controller-runtime", "machined", "trustd"] as const;

/** The id of a service. */
export type ServiceId = (typeof serviceIds)[number];

/** The daemon itself, whose log has what is of no other service. */
const DAEMON: ServiceId = "machined";

/** The logs of the services. */
export interface LogBook {
  readonly logs: ReadonlyMap<string, Ring<string>>;
  /** @param component of the line; a line without one is the daemon's */
  readonly write: (component: unknown, line: string) => void;
}

/** Starts empty. */
export function openLogBook(): LogBook {
  const bounds = {
    itemsMax: LINES_MAX,
    weightMax: CHARACTERS_MAX,
    weightOf: (line: string) => line.length,
  };
  const logs = new Map<unknown, Ring<string>>();
  for (const id of serviceIds) logs.set(id, new Ring<string>(bounds));
  return {
    logs: logs as ReadonlyMap<string, Ring<string>>,
    write(component, line) {
      const log = logs.get(component) ?? logs.get(DAEMON);
      const isLong = line.length > LINE_CHARACTERS_MAX;
      log?.append(isLong ? `${line.slice(0, LINE_CHARACTERS_MAX)} …` : line);
    },
  };
}
