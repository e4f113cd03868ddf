/** What securitystatus has to say while something is wrong, where there is room to write it. */
import { SecurityStatus, TimeStatus } from "#resources";
import { at, ControllerStatus, days, type Resource, type SpecOf } from "#runtime";
import {
  eachNode,
  lasting,
  type NodeView,
  type Properties,
  type Property,
} from "#runtime/simulation";
import { TOLD_IN } from "./reports.ts";

/** Made anew for each simulation. */
export const findingProperties = (): Properties => ({
  "a step of the clock is a finding for a day": lasting(TOLD_IN, steps()),
  "a full disk is the finding StoreFull, where a line fits": lasting(TOLD_IN, full()),
  "a full disk is no other finding": misnamed(),
});

const findingsOf = (node: NodeView) => node.spec(SecurityStatus, "node")?.findings ?? [];

const steps = (): Property =>
  eachNode((node) => {
    const lastStep = node.isUp ? node.spec(TimeStatus, "node")?.lastStep : undefined;
    if (lastStep === undefined || !node.isWritable) return [];
    const isFresh = Math.abs(node.clock.now() - at(lastStep.at)) < days(1) - TOLD_IN;
    return isFresh && !findingsOf(node).some(({ reason }) => reason === "ClockStep")
      ? [`${node.name}: securitystatus has no finding ClockStep`]
      : [];
  });

interface Seen {
  readonly boot: number;
  /** Controllers whose status says that the store is full, and was written before securitystatus. */
  readonly told: Set<string>;
  /** Those whose status was written after it. */
  readonly news: Set<string>;
}

type Status = SpecOf<typeof ControllerStatus>;

/** Who could write that controllers fail had room for it, and has to say why. */
function full(): Property {
  const nodes = new Map<string, Seen>();
  return eachNode((node) => {
    const { name, boot } = node;
    const last = nodes.get(name);
    const seen: Seen = last?.boot === boot ? last : { boot, told: new Set(), news: new Set() };
    nodes.set(name, seen);
    for (const resource of node.written) note(seen, resource);
    if (!node.isUp || seen.told.size === 0) return [];
    const findings = findingsOf(node).filter(({ reason }) => reason === "StoreFull");
    return [...seen.told]
      .filter((id) => !findings.some(({ message }) => message.includes(id)))
      .map((id) => `${name}: ${id} fails on a full disk, and there is no finding of it`);
  });
}

/** Whatever was written of it, be it for a moment. */
function misnamed(): Property {
  const messages = new Set<string>();
  return eachNode((node) =>
    node.written.flatMap((resource) => {
      if (resource.metadata.type === ControllerStatus.type) {
        const { error } = resource.spec as Status;
        if (error?.code === "ERR_STORE_FULL") messages.add(error.message);
      }
      if (resource.metadata.type !== SecurityStatus.type) return [];
      return (resource.spec as SpecOf<typeof SecurityStatus>).findings
        .filter(({ reason }) => reason === "ControllerFails")
        .filter(({ message }) => [...messages].some((full) => message.endsWith(full)))
        .map(({ reason, message }) => `${node.name}: ${reason}: ${message}`);
    }),
  );
}

function note({ told, news }: Seen, { metadata, spec }: Resource): void {
  const { type, id } = metadata;
  if (type === ControllerStatus.type) {
    const { state, error } = spec as Status;
    told.delete(id);
    news.delete(id);
    if (state === "failing" && error?.code === "ERR_STORE_FULL") news.add(id);
  } else if (type === SecurityStatus.type && id === "node") {
    for (const one of news) told.add(one);
    news.clear();
  }
}
