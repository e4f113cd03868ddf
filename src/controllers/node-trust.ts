/** Whom a node that joins by token believes: its configuration, and what signers told it since. */
import type { Certificate } from "#pki";
import type { NodeCertificate, OSRoot } from "#resources";
import type { DeepReadonly, SpecOf } from "#runtime";
import { certificateIn } from "./readable.ts";

/** What such a node holds. */
export type NodeHolding = DeepReadonly<SpecOf<typeof NodeCertificate>>;
type Root = Pick<DeepReadonly<SpecOf<typeof OSRoot>>, "acceptedCAs">;

/** SHA-256 over each authority that a configuration accepts, in its order; those that can be read. */
export const acceptedBy = ({ acceptedCAs }: Root): string[] =>
  certificatesIn(acceptedCAs).map(({ fingerprint }) => fingerprint);

/** The authorities that are accepted: those of the configuration, and then {@link toldCAs}. */
export const trustedCAs = (root: Root, held: NodeHolding | null | undefined): Certificate[] => [
  ...certificatesIn(root.acceptedCAs),
  ...toldCAs(root, held),
];

/**
 * Those that a signer named who was verified. One that the configuration has dropped since then is
 * accepted no more, until a signer who is verified by what is left names it.
 */
export function toldCAs(root: Root, held: NodeHolding | null | undefined): Certificate[] {
  const configured = new Set(acceptedBy(root));
  const dropped = new Set(held?.acceptedThen.filter((each) => !configured.has(each)));
  return certificatesIn(held?.acceptedCAs ?? []).filter(
    ({ fingerprint }) => !configured.has(fingerprint) && !dropped.has(fingerprint),
  );
}

const certificatesIn = (list: readonly { readonly crt: string }[]): Certificate[] => [
  ...new Map(
    list
      .flatMap(({ crt }) => certificateIn(crt) ?? [])
      .map((certificate) => [certificate.fingerprint, certificate]),
  ).values(),
];
