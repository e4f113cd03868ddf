/** Rules of our own: tokens, names for certificates, and what a control plane cannot do without. */
import { certSanProblem } from "../../cert-san.ts";
import { hostnameProblem } from "../../hostname.ts";
import { isToken } from "../../token.ts";
import type { FieldPath } from "../../yaml/read.ts";
import { aggregatorAuthorities, kubernetesAuthorities, serviceAccountKey } from "../effective.ts";
import type { Judgement, MachineRule, Subject } from "../judgement.ts";
import type { DocumentOf } from "../schema.ts";
import { unknownKeysRule } from "./unknown-keys.ts";

const TOKEN_FORM =
  "is not of the form of a token: 6 characters, a dot, 16 characters, all of 0-9 and a-z";

function* tokens({ document, machine, cluster }: Subject): Iterable<Judgement> {
  const held: [FieldPath, string][] = [[["machine", "token"], machine.token]];
  if (cluster !== undefined) held.push([["cluster", "token"], cluster.token]);
  for (const [path, token] of held)
    if (token === "") yield { document, path, message: "a token is required" };
    else if (!isToken(token)) yield { document, path, message: TOKEN_FORM, severity: "warning" };
}

function* certSans({ config, document, machine, cluster }: Subject): Iterable<Judgement> {
  yield* each(machine.certSANs, ["machine", "certSANs"], document);
  yield* each(cluster?.apiServer?.certSANs ?? [], ["cluster", "apiServer", "certSANs"], document);
  for (const other of config.documents.filter(({ kind }) => kind === "KubeAPIServerConfig")) {
    const { certExtraSANs } = other.content as DocumentOf<"KubeAPIServerConfig">;
    yield* each(certExtraSANs, ["certExtraSANs"], other);
  }
}

function* each(
  sans: readonly string[],
  path: FieldPath,
  document: Judgement["document"],
): Iterable<Judgement> {
  for (const [index, san] of sans.entries()) {
    const message = certSanProblem(san);
    if (message !== undefined) yield { document, path: [...path, index], message };
  }
}

function* hostnames({ config, document, machine }: Subject): Iterable<Judgement> {
  const held: [Judgement["document"], FieldPath, string][] = [
    [document, ["machine", "network", "hostname"], machine.network?.hostname ?? ""],
  ];
  for (const other of config.documents.filter(({ kind }) => kind === "HostnameConfig"))
    held.push([other, ["hostname"], (other.content as DocumentOf<"HostnameConfig">).hostname]);
  for (const [place, path, name] of held) {
    const problem = name === "" ? undefined : hostnameProblem(name);
    if (problem !== undefined)
      yield {
        document: place,
        path,
        message: `${JSON.stringify(name)} is no hostname: ${problem}`,
      };
  }
}

/** Talos finds these missing when it needs them. */
function* roots({ config, document, isControlPlane, cluster }: Subject): Iterable<Judgement> {
  if (!isControlPlane || cluster === undefined) return;
  const { documents } = config;
  const { issuingCA } = kubernetesAuthorities(documents);
  const { aggregatorCA } = aggregatorAuthorities(documents);
  const needed: [FieldPath, string, string][] = [
    [
      ["cluster", "ca"],
      issuingCA.crt + (cluster.ca?.crt ?? ""),
      "issuing Kubernetes API CA is required (.cluster.ca)",
    ],
    [
      ["cluster", "aggregatorCA"],
      aggregatorCA.crt + (cluster.aggregatorCA?.crt ?? ""),
      "aggregator CA is required for controlplane nodes (.cluster.aggregatorCA)",
    ],
    [
      ["cluster", "serviceAccount", "key"],
      serviceAccountKey(documents) + (cluster.serviceAccount?.key ?? ""),
      "service account key is required for controlplane nodes (.cluster.serviceAccount.key)",
    ],
  ];
  for (const [path, held, message] of needed) if (held === "") yield { document, path, message };
}

/** Rules that need no key and no clock. */
export const ownRules: readonly MachineRule[] = [
  tokens,
  certSans,
  hostnames,
  roots,
  unknownKeysRule,
];
