/** Reads `secrets.yaml` and says everything that is wrong with it (talos-pki.md §3.1, §3.2). */
import { BundleInvalidError, BundleParseError } from "../errors.ts";
import {
  certificateFormProblem,
  type Inspection,
  inspectAuthority,
  inspectServiceAccountKey,
  keyFormProblem,
} from "../key-material.ts";
import { decodePem, isBase64 } from "../pem-text.ts";
import { formatPath, formatProblem } from "../problem.ts";
import { isToken } from "../token.ts";
import { type FieldPath, isRecord, YamlError, type YamlMap, readYaml } from "../yaml/read.ts";
import type { LoadedBundle, SecretsBundle } from "./bundle.ts";
import { withLowerCaseKeys } from "./keys.ts";

/**
 * Reads a bundle. Keys in the casing of JSON are read too, with a warning; only the first document
 * of the file counts.
 *
 * @param source names the file in errors
 * @throws {BundleParseError} when it is not YAML
 * @throws {BundleInvalidError} naming everything that is missing or unreadable
 */
export function readBundle(text: string, source = "the secrets bundle"): LoadedBundle {
  const { bundle, problems, warnings } = inspect(text, source);
  if (problems.length > 0) throw new BundleInvalidError(problems);
  return { bundle, warnings };
}

/**
 * Reads a bundle that is new here, and looks at what Talos does not look at: that keys match their
 * certificates, that authorities are authorities and have not expired, the form of tokens.
 *
 * @param options strict: warnings are errors
 * @throws {BundleParseError} {@link BundleInvalidError} as {@link readBundle}
 */
export async function loadBundle(
  text: string,
  options: Inspection & { readonly source?: string; readonly strict?: boolean },
): Promise<LoadedBundle> {
  const read = inspect(text, options.source ?? "the secrets bundle");
  const { bundle, place } = read;
  const errors = [...read.problems];
  const warnings = [...read.warnings];
  for (const { severity, ...problem } of await contentProblems(bundle, options))
    (severity === "error" ? errors : warnings).push(place(problem));
  if (options.strict === true) errors.push(...warnings.map((warning) => `warning: ${warning}`));
  if (errors.length > 0) throw new BundleInvalidError(errors);
  return { bundle, warnings };
}

/** Something wrong with a field, or with what is not there. */
interface Problem {
  readonly path: FieldPath;
  readonly message: string;
}

interface Reading extends LoadedBundle {
  readonly problems: readonly string[];
  readonly place: (problem: Problem) => string;
}

function inspect(text: string, source: string): Reading {
  const { value, place, warnings } = open(text, source);
  const problems: Problem[] = [];
  const complain = (path: FieldPath, message: string) => void problems.push({ path, message });
  const section = (...path: string[]): YamlMap | undefined => {
    const found = path.reduce<YamlMap[string] | undefined>(
      (map, key) => (isRecord(map) ? map[key] : undefined),
      value,
    );
    if (isRecord(found)) return found;
    complain(path, `${path.join(".")} ${found == null ? "is required" : "is not a mapping"}`);
    return undefined;
  };
  const bundle: SecretsBundle = {
    ...readSecrets(section, complain),
    certs: readCerts(section, complain),
  };
  return { bundle, place, warnings, problems: problems.map((it) => place(it)) };
}

function open(text: string, source: string) {
  try {
    const [document] = readYaml(text);
    if (document === undefined) throw new BundleParseError(`${source}: holds nothing`);
    const folded = withLowerCaseKeys(document);
    if (folded === undefined)
      throw new BundleParseError(
        `${source}:1: is not a mapping; a secrets bundle begins with cluster:`,
      );
    const { value, positionOf, written } = folded;
    const warning =
      `${source}:${positionOf(written?.path ?? []).line}: keys are lower-case in secrets.yaml ` +
      `(${written?.found ?? ""} should be ${written?.wanted ?? ""}): Talos itself would read this file as empty`;
    return {
      value,
      place: ({ path, message }: Problem) =>
        formatProblem(path, message, { source, line: positionOf(path).line }),
      warnings: written ? [warning] : [],
    };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { line, column } = error.position;
    throw new BundleParseError(`${source}:${line}:${column}: ${error.message}`);
  }
}

type Section = (...path: string[]) => YamlMap | undefined;
type Complain = (path: FieldPath, message: string) => void;

function readSecrets(section: Section, complain: Complain): Omit<SecretsBundle, "certs"> {
  const required = (map: YamlMap | undefined, ...path: [string, string]): string => {
    const text = textAt(map, path[1]);
    if (map && text === "") complain(path, `${path.join(".")} is required`);
    return text;
  };
  const cluster = section("cluster");
  const id = required(cluster, "cluster", "id");
  const secret = required(cluster, "cluster", "secret");
  const secrets = section("secrets");
  const bootstrapToken = required(secrets, "secrets", "bootstraptoken");
  const aescbc = textAt(secrets, "aescbcencryptionsecret");
  const secretbox = textAt(secrets, "secretboxencryptionsecret");
  const both = "of [secrets.secretboxencryptionsecret, secrets.aescbcencryptionsecret]";
  if (secrets && aescbc === "" && secretbox === "")
    complain(["secrets"], `one ${both} is required`);
  if (aescbc !== "" && secretbox !== "") complain(["secrets"], `only one ${both} is allowed`);
  const token = required(section("trustdinfo"), "trustdinfo", "token");
  return {
    cluster: { id, secret },
    secrets: {
      bootstrapToken,
      ...(aescbc !== "" && { aescbcEncryptionSecret: aescbc }),
      ...(secretbox !== "" && { secretboxEncryptionSecret: secretbox }),
    },
    trustdInfo: { token },
  };
}

const textAt = (map: YamlMap | undefined, key: string): string => {
  const value = map?.[key];
  return typeof value === "string" ? value : "";
};

function readCerts(section: Section, complain: Complain): SecretsBundle["certs"] {
  const present = section("certs") !== undefined;
  const pem = (name: string, field: "crt" | "key", map: YamlMap | undefined): string => {
    if (map === undefined) return "";
    const path = ["certs", name, field];
    const text = textAt(map, field);
    const invalid = (reason: string) => {
      const subject = name === "k8sserviceaccount" ? formatPath(path) : `certs.${name}`;
      complain(path, `${subject} is invalid: ${reason}`);
    };
    if (text === "") invalid(`${field} is required`);
    else if (text !== "******" && !isBase64(text)) invalid(`${field} is not base64`);
    else {
      const decoded = decodePem(text);
      const reason = field === "crt" ? certificateFormProblem(decoded) : keyFormProblem(decoded);
      if (reason !== undefined) invalid(`${field}: ${reason}`);
      return decoded;
    }
    return "";
  };
  const map = (name: string) => (present ? section("certs", name) : undefined);
  const pair = (name: string) => {
    const found = map(name);
    return { crt: pem(name, "crt", found), key: pem(name, "key", found) };
  };
  return {
    etcd: pair("etcd"),
    k8s: pair("k8s"),
    k8sAggregator: pair("k8saggregator"),
    os: pair("os"),
    k8sServiceAccount: { key: pem("k8sserviceaccount", "key", map("k8sserviceaccount")) },
  };
}

type Judged = Problem & { readonly severity: "error" | "warning" };

/** What is wrong with a bundle whose form is right. What its form has been blamed for is left out. */
async function contentProblems(
  { certs, secrets, trustdInfo }: SecretsBundle,
  inspection: Inspection,
): Promise<Judged[]> {
  const found: Judged[] = [];
  const authorities = {
    etcd: certs.etcd,
    k8s: certs.k8s,
    k8saggregator: certs.k8sAggregator,
    os: certs.os,
  };
  for (const [name, pair] of Object.entries(authorities)) {
    if (certificateFormProblem(pair.crt) !== undefined) continue;
    const key = keyFormProblem(pair.key) === undefined ? pair.key : "";
    for (const { field, message, kind } of await inspectAuthority(
      { crt: pair.crt, key },
      "issuing",
      inspection,
    ))
      found.push({
        path: ["certs", name, field],
        message: kind === "unreadable" ? `certs.${name} is invalid: ${field}: ${message}` : message,
        severity: kind === "warning" ? "warning" : "error",
      });
  }
  const path = ["certs", "k8sserviceaccount", "key"];
  if (keyFormProblem(certs.k8sServiceAccount.key) === undefined) {
    const key = await inspectServiceAccountKey(certs.k8sServiceAccount.key, inspection.keys);
    if (!("publicKey" in key))
      found.push({
        path,
        message: `${formatPath(path)} is invalid: ${key.message}`,
        severity: "error",
      });
  }
  const tokens: [FieldPath, string][] = [
    [["secrets", "bootstraptoken"], secrets.bootstrapToken],
    [["trustdinfo", "token"], trustdInfo.token],
  ];
  for (const [where, token] of tokens)
    if (token !== "" && !isToken(token))
      found.push({ path: where, message: TOKEN_FORM, severity: "warning" });
  return found;
}

const TOKEN_FORM =
  "is not of the form of a token: 6 characters, a dot, 16 characters, all of 0-9 and a-z";
