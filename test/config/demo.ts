/** The demo cluster, made by talosctl 1.13.5, and changed copies of its files. */
import { readFileSync } from "node:fs";
import { parseAllDocuments, type Document } from "yaml";
import {
  authorityProfiles,
  issueAuthority,
  leafIssuer,
  leafProfiles,
  webCryptoKeys,
  type KeyedPem,
} from "#pki";
import { at, systemRandom, type Instant } from "#runtime";

const file = (name: string) =>
  readFileSync(new URL(`../fixtures/talos-demo/${name}`, import.meta.url), "utf8");

export const secretsYaml = file("secrets.yaml");
export const controlplaneYaml = file("controlplane.yaml");
export const workerYaml = file("worker.yaml");
export const talosconfigYaml = file("talosconfig");

/** Within the life of the demo's certificates. */
export const now = at("2027-01-01");
export const keys = webCryptoKeys();

type Path = readonly (string | number)[];

/** A change of the first document: a value to set, or undefined to take the field out. */
export type Change = readonly [path: string, value: unknown];

/** A file with fields changed; paths are dotted. */
export function changed(text: string, ...changes: readonly Change[]): string {
  const documents = parseAllDocuments(text) as Document[];
  for (const [dotted, value] of changes) {
    const path: Path = dotted.split(".").map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    if (value === undefined) documents[0]?.deleteIn(path);
    else documents[0]?.setIn(path, documents[0].createNode(value));
  }
  return documents.map((document) => document.toString({ lineWidth: 0, indent: 4 })).join("---\n");
}

/** base64, as PEM texts stand in Talos' files. */
export const base64 = (text: string) => Buffer.from(text).toString("base64");
export const encoded = ({ crt, key }: KeyedPem) => ({ crt: base64(crt), key: base64(key) });

/** An authority that begins at an instant. */
export async function authority(from: Instant = now): Promise<KeyedPem> {
  const issued = await issueAuthority(authorityProfiles.os, {
    keys,
    now: from,
    random: systemRandom,
  });
  return { crt: issued.certificate.pem, key: await issued.key.pem() };
}

/** A leaf where an authority should be. */
export const leaf = async (): Promise<KeyedPem> =>
  leafIssuer({ keys, random: systemRandom })({
    profile: leafProfiles.apidServer,
    authority: await authority(),
    commonName: "a.example",
    dnsNames: ["a.example"],
    now,
  });

/** The message of the error that a call ends with. */
export async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}
