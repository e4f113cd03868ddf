/** Rules of our own: networks, the cluster's domain, lifetimes and encryption secrets. */
import { isNetwork } from "../../address.ts";
import { isClusterDomain } from "../../cert-san.ts";
import { readDuration } from "#pki";
import type { FieldPath } from "../../yaml/read.ts";
import type { Judgement, MachineRule, Subject } from "../judgement.ts";
import type { DocumentOf } from "../schema.ts";

interface Network {
  readonly dnsDomain: string;
  readonly podSubnets: readonly string[];
  readonly serviceSubnets: readonly string[];
}

function* networks({ config, document, cluster }: Subject): Iterable<Judgement> {
  const legacy = cluster?.network;
  if (legacy !== undefined) yield* judge(legacy, ["cluster", "network"], document);
  for (const other of config.documents.filter(({ kind }) => kind === "KubeNetworkConfig"))
    yield* judge(other.content as DocumentOf<"KubeNetworkConfig">, [], other);
}

function* judge(
  network: Network,
  base: FieldPath,
  document: Judgement["document"],
): Iterable<Judgement> {
  for (const field of ["podSubnets", "serviceSubnets"] as const)
    for (const [index, subnet] of network[field].entries())
      if (!isNetwork(subnet))
        yield {
          document,
          path: [...base, field, index],
          message: `${JSON.stringify(subnet)} is not a network: an address, a slash, a number of bits`,
        };
  const { dnsDomain } = network;
  if (dnsDomain !== "" && !isClusterDomain(dnsDomain))
    yield {
      document,
      path: [...base, "dnsDomain"],
      message: `${JSON.stringify(dnsDomain)} is not a DNS domain`,
    };
}

function* lifetimes({ document, cluster }: Subject): Iterable<Judgement> {
  const lifetime = cluster?.adminKubeconfig?.certLifetime ?? "";
  if (lifetime !== "" && readDuration(lifetime) === undefined)
    yield {
      document,
      path: ["cluster", "adminKubeconfig", "certLifetime"],
      message: `${JSON.stringify(lifetime)} is not a duration: write it as 8760h0m0s`,
    };
}

/** Secretbox and AES-256 take keys of 32 bytes; the value itself is never told. */
function* encryptionSecrets({ document, cluster }: Subject): Iterable<Judgement> {
  for (const field of ["secretboxEncryptionSecret", "aescbcEncryptionSecret"] as const) {
    const secret = cluster?.[field] ?? "";
    if (secret !== "" && Buffer.from(secret, "base64").length !== 32)
      yield {
        document,
        path: ["cluster", field],
        message: "is not the base64 of 32 bytes",
        severity: "warning",
      };
  }
}

/** Rules about what certificates are issued for and how long, beside names themselves. */
export const networkRules: readonly MachineRule[] = [networks, lifetimes, encryptionSecrets];
