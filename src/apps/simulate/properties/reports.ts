/** What cannot be helped has to be told: a step of the clock, a disk that is full, a root that ends. */
import { CertificateStatus, TimeStatus } from "#resources";
import { at, ControllerStatus, type Instant, minutes, seconds } from "#runtime";
import {
  eachNode,
  lasting,
  type NodeView,
  type Properties,
  type Property,
} from "#runtime/simulation";

/** A pause, a watch that lags and a retry may come together. */
export const TOLD_IN = minutes(40);

/** Made anew for each simulation. */
export const reportProperties = (): Properties => ({
  "a step of the clock is told of": lasting(TOLD_IN, steps()),
  "a disk that is too full to renew is told of": lasting(TOLD_IN, full()),
});

interface Seen {
  readonly boot: number;
  readonly error: number;
  /** What was told when the process that runs saw the clock being set; undefined: it did not. */
  readonly before: string | undefined;
}

const STEP = seconds(10);

/** Whoever keeps looking sees a jump as one. */
function steps(): Property {
  const seen = new Map<string, Seen>();
  return eachNode((node) => {
    const { boot, clockError: error } = node;
    const last = seen.get(node.name);
    const isSame = last?.boot === boot && node.isUp;
    const isStep = isSame && Math.abs(error - last.error) > STEP;
    const told = JSON.stringify(node.spec(TimeStatus, "node")?.lastStep ?? null);
    const before = isStep ? told : isSame ? last.before : undefined;
    seen.set(node.name, { boot, error, before });
    if (before === undefined || told !== before || !node.isWritable) return [];
    return [`${node.name}: the clock was set, and TimeStatus does not say so`];
  });
}

function full(): Property {
  const since = new Map<string, Instant>();
  return eachNode((node, { now }) => {
    if (node.isWritable || !node.isUp) {
      since.delete(node.name);
      return [];
    }
    const began = since.get(node.name) ?? now;
    since.set(node.name, began);
    const told = node.logged("ERR_STORE_FULL");
    if ((told !== undefined && told >= began) || !isLate(node)) return [];
    return [`${node.name}: a certificate is late on a full disk, and nobody is told`];
  });
}

const isLate = (node: NodeView): boolean =>
  node
    .list(CertificateStatus)
    .some(({ spec }) => spec.renewAt !== "" && at(spec.renewAt) < node.clock.now());

/** In the end all is well, and nothing is left to do. */
export const settledProperties = (): Properties => ({
  "every certificate is Valid": ({ nodes }) =>
    nodes.flatMap((node) => [
      ...node
        .list(CertificateStatus)
        .filter(({ spec }) => spec.state !== "Valid")
        .map(({ metadata, spec }) => `${node.name}: ${metadata.id} is ${spec.state}: ${spec.why}`),
      ...(node.list(CertificateStatus).length < CERTIFICATES
        ? [`${node.name}: some certificates have no status`]
        : []),
    ]),
  "no controller fails or waits": ({ nodes }) =>
    nodes.flatMap((node) =>
      node
        .list(ControllerStatus)
        .filter(({ spec }) => spec.state !== "ready")
        .map(
          ({ metadata, spec }) =>
            `${node.name}: ${metadata.id} is ${spec.state}: ${spec.error?.message ?? spec.waitingFor}`,
        ),
    ),
});

/** Four roots and fourteen leaves. */
const CERTIFICATES = 18;
