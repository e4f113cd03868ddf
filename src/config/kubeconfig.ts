/** kubeconfig: how clients reach the Kubernetes API, and who they are (talos-pki.md §2.3). */
import type { KeyedPem } from "#pki";
import { z } from "zod";
import { KubeconfigParseError } from "./errors.ts";
import { decodePem, encodePem } from "./pem-text.ts";
import { readYaml, YamlError } from "./yaml/read.ts";
import { writeYaml } from "./yaml/write.ts";

/** What a kubeconfig is made from. */
export interface KubeconfigRequest extends KeyedPem {
  /** The cluster's name. */
  readonly cluster: string;
  /** URL of the API server. */
  readonly endpoint: string;
  /** PEM, one authority or more. */
  readonly ca: string;
  /** The user's name; the context is `user@cluster`. */
  readonly user: string;
  /** `default` where absent. */
  readonly namespace?: string;
}

/** Writes a kubeconfig with one cluster, one user, and the context of the two, as Talos does. */
export function writeKubeconfig(request: KubeconfigRequest): string {
  const { cluster, endpoint, ca, user, crt, key, namespace = "default" } = request;
  const context = `${user}@${cluster}`;
  return writeYaml({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: cluster, cluster: { server: endpoint, "certificate-authority-data": encodePem(ca) } },
    ],
    users: [
      {
        name: context,
        user: { "client-certificate-data": encodePem(crt), "client-key-data": encodePem(key) },
      },
    ],
    contexts: [{ context: { cluster, namespace, user: context }, name: context }],
    "current-context": context,
  });
}

const schema = z.looseObject({
  users: z
    .array(
      z.looseObject({
        user: z.looseObject({
          "client-certificate-data": z.string(),
          "client-key-data": z.string(),
        }),
      }),
    )
    .min(1),
});

/**
 * The certificate and key of a kubeconfig's first user, PEM.
 *
 * @throws {KubeconfigParseError} when there is none in the text
 */
export function readKubeconfig(text: string, source = "the kubeconfig"): KeyedPem {
  const parsed = schema.safeParse(valueOf(text, source));
  const user = parsed.data?.users[0]?.user;
  if (user === undefined)
    throw new KubeconfigParseError(`${source}: has no user with a certificate and a key in it`);
  return {
    crt: decodePem(user["client-certificate-data"]),
    key: decodePem(user["client-key-data"]),
  };
}

function valueOf(text: string, source: string): unknown {
  try {
    return readYaml(text)[0]?.value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { line, column } = error.position;
    throw new KubeconfigParseError(`${source}:${line}:${column}: ${error.message}`);
  }
}
