import { createPrivateKey } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, type CommandOptions } from "./command.ts";

/** How the keys of a Kubernetes PKI are made and written. */
export interface KeyForm {
  readonly algorithm: readonly string[];
  /** The encoding in the PEM: kubeadm writes `pkcs1` and `sec1`, openssl `pkcs8`. */
  readonly encoding: "pkcs1" | "sec1" | "pkcs8";
}

const rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const ec = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

/** The variants that operators have. */
export const keyForms = {
  rsa: { algorithm: rsa, encoding: "pkcs1" },
  ec: { algorithm: ec, encoding: "sec1" },
  "ec-pkcs8": { algorithm: ec, encoding: "pkcs8" },
} as const satisfies Record<string, KeyForm>;

/** As kubeadm issues its authorities: a CN, no O, a key identifier made from the key. */
const configuration = `[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyEncipherment, keyCertSign
subjectKeyIdentifier = hash
`;

/** Fills a directory as kubeadm fills /etc/kubernetes/pki, by openssl. */
export async function makeKubernetesPki(
  directory: string,
  form: KeyForm,
  options: CommandOptions,
): Promise<void> {
  await mkdir(join(directory, "etcd"), { recursive: true });
  const config = join(directory, "openssl.cnf");
  await writeFile(config, configuration);

  const authority = async (name: string, commonName: string) => {
    const key = join(directory, `${name}.key`);
    const crt = join(directory, `${name}.crt`);
    await makeKey(key, form, options);
    const request = ["req", "-x509", "-new", "-config", config, "-sha256", "-days", "3650"];
    await command(
      "openssl",
      [...request, "-subj", `/CN=${commonName}`, "-key", key, "-out", crt],
      options,
    );
  };
  await authority("ca", "kubernetes");
  await authority("etcd/ca", "etcd-ca");
  await authority("front-proxy-ca", "front-proxy-ca");
  await makeKey(join(directory, "sa.key"), form, options);
}

/** openssl's flags for the older encodings differ between its versions, so node writes those. */
async function makeKey(file: string, form: KeyForm, options: CommandOptions): Promise<void> {
  await command("openssl", ["genpkey", ...form.algorithm, "-out", file], options);
  const key = createPrivateKey(await readFile(file));
  await writeFile(file, key.export({ type: form.encoding, format: "pem" }), { mode: 0o600 });
}
