/** Who writes what: nobody but the one controller that a kind belongs to. */
import { CertificateStatus } from "#resources";
import { type Controller, formatPointer, type Resource } from "#runtime";
import { eachNode, type Properties } from "#runtime/simulation";
import { MEDDLED } from "../operator.ts";

/** Made anew for each simulation. */
export const ownershipProperties = (controllers: readonly Controller[]): Properties => {
  const owners = new Map<string, string>();
  for (const { name, outputs } of controllers)
    for (const { kind, sharing } of Object.values(outputs))
      if (sharing === "exclusive") owners.set(kind.type, name);
  return {
    "what one controller alone writes is owned and written by it": eachNode((node) =>
      node.written.flatMap((resource) =>
        [...foreign(resource, owners), ...meddled(resource)].map(
          (problem) => `${node.name}: ${formatPointer(resource.metadata)} ${problem}`,
        ),
      ),
    ),
  };
};

const foreign = ({ metadata }: Resource, owners: ReadonlyMap<string, string>): readonly string[] =>
  (owners.get(metadata.type) ?? metadata.owner) === metadata.owner
    ? []
    : [`is owned by ${metadata.owner || "nobody"}`];

/** The owner stays whoever writes: an operator who tries leaves a mark. */
const meddled = ({ metadata, spec }: Resource): readonly string[] =>
  metadata.type === CertificateStatus.type && (spec as { readonly why: string }).why === MEDDLED
    ? ["was written by an operator"]
    : [];
