/** Looks at every certificate and key of a configuration; Talos finds out when it uses them. */
import type { KeyedPem } from "#pki";
import { type Inspection, inspectAuthority, inspectServiceAccountKey } from "../../key-material.ts";
import { decodePem, isBase64, REDACTED } from "../../pem-text.ts";
import type { FieldPath } from "../../yaml/read.ts";
import type { ConfigDocument } from "../documents.ts";
import type { Judgement, Subject } from "../judgement.ts";
import type { DocumentOf } from "../schema.ts";

/** A certificate, its key, or both, and where they stand. */
interface Place {
  readonly document: ConfigDocument;
  readonly path: FieldPath;
  /** The names of the two fields below the path; undefined where the path is the certificate. */
  readonly fields?: { readonly crt: string; readonly key: string };
  readonly pair: KeyedPem;
  /** base64 of PEM, as in the document without a kind. */
  readonly encoded: boolean;
  readonly role: "issuing" | "accepted";
  /** On control planes an issuing authority has its key. */
  readonly needsKey: boolean;
  /** How Talos begins what it has to say about it. */
  readonly prefix: string;
}

const encodedFields = { crt: "crt", key: "key" };
const plainFields = { crt: "cert", key: "key" };

/** What there is to say about certificates and keys. */
export async function judgeKeyMaterial(
  subject: Subject,
  inspection: Inspection,
): Promise<Judgement[]> {
  const judged: Judgement[] = [];
  for (const place of [...encodedPlaces(subject), ...documentPlaces(subject)])
    judged.push(...(await judgePlace(place, inspection)));
  for (const key of serviceAccountKeys(subject)) judged.push(...(await judgeKey(key, inspection)));
  return judged;
}

function* encodedPlaces(subject: Subject): Iterable<Place> {
  const { document, machine, cluster, isControlPlane } = subject;
  const common = { document, encoded: true, prefix: "" } as const;
  const issuing: [FieldPath, Encoded, boolean][] = [
    [["machine", "ca"], machine.ca, false], // Talos itself asks for the key
    [["cluster", "ca"], cluster?.ca, isControlPlane],
    [["cluster", "aggregatorCA"], cluster?.aggregatorCA, isControlPlane],
    [["cluster", "etcd", "ca"], cluster?.etcd?.ca, isControlPlane],
  ];
  for (const [path, pair, needsKey] of issuing)
    if (pair !== undefined && (isControlPlane || pair.crt !== ""))
      yield {
        ...common,
        path,
        fields: encodedFields,
        pair,
        role: isControlPlane ? "issuing" : "accepted",
        needsKey,
      };
  const accepted: [FieldPath, readonly { crt: string }[]][] = [
    [["machine", "acceptedCAs"], machine.acceptedCAs],
    [["cluster", "acceptedCAs"], cluster?.acceptedCAs ?? []],
  ];
  for (const [path, list] of accepted)
    for (const [index, { crt }] of list.entries())
      yield {
        ...common,
        path: [...path, index],
        fields: encodedFields,
        pair: { crt, key: "" },
        role: "accepted",
        needsKey: false,
      };
}

type Encoded = KeyedPem | undefined;

function* documentPlaces({ config }: Subject): Iterable<Place> {
  for (const document of config.documents) {
    if (document.kind !== "KubeAPIServerCAConfig" && document.kind !== "KubeAggregatorCAConfig")
      continue;
    const content = document.content as DocumentOf<"KubeAPIServerCAConfig">;
    const common = { document, encoded: false } as const;
    if (content.issuingCA !== undefined)
      yield {
        ...common,
        path: ["issuingCA"],
        fields: plainFields,
        pair: { crt: content.issuingCA.cert, key: content.issuingCA.key },
        role: "issuing",
        needsKey: true,
        prefix: "issuing CA: ",
      };
    for (const [index, crt] of content.acceptedCAs.entries())
      yield {
        ...common,
        path: ["acceptedCAs", index],
        pair: { crt, key: "" },
        role: "accepted",
        needsKey: false,
        prefix: `accepted CA #${index}: `,
      };
  }
}

async function judgePlace(place: Place, inspection: Inspection): Promise<Judgement[]> {
  const judged: Judgement[] = [];
  const say = (field: "crt" | "key", message: string, severity?: "warning") => {
    const path = place.fields ? [...place.path, place.fields[field]] : place.path;
    const text = `${place.prefix}${message}`;
    judged.push({ document: place.document, path, message: text, ...(severity && { severity }) });
  };
  const read = (field: "crt" | "key"): string => {
    const text = place.pair[field];
    if (!place.encoded || text === REDACTED) return text;
    if (text !== "" && !isBase64(text)) say(field, "is not base64");
    return decodePem(text);
  };
  const pair = { crt: read("crt"), key: read("key") };
  if (place.pair.crt === "") say("crt", "certificate is required");
  if (place.pair.key === "" && place.needsKey) say("key", "key is required");
  if (pair.crt === "") return judged;
  if (!place.encoded && !pair.crt.includes("-----BEGIN ")) {
    say("crt", "no PEM blocks found");
    return judged;
  }
  for (const { field, message, kind } of await inspectAuthority(pair, place.role, inspection))
    say(field, message, kind === "warning" ? "warning" : undefined);
  return judged;
}

interface KeyPlace {
  readonly document: ConfigDocument;
  readonly path: FieldPath;
  readonly key: string;
  readonly encoded: boolean;
  readonly prefix: string;
}

function* serviceAccountKeys({ config, document, cluster }: Subject): Iterable<KeyPlace> {
  const path = ["cluster", "serviceAccount", "key"];
  if (cluster?.serviceAccount !== undefined)
    yield { document, path, key: cluster.serviceAccount.key, encoded: true, prefix: "" };
  for (const other of config.documents.filter(({ kind }) => kind === "KubeServiceAccountConfig")) {
    const { issuer } = other.content as DocumentOf<"KubeServiceAccountConfig">;
    yield {
      document: other,
      path: ["issuer", "privateKey"],
      key: issuer?.privateKey ?? "",
      encoded: false,
      prefix: "service issuer private key is invalid: ",
    };
  }
}

async function judgeKey(place: KeyPlace, { keys }: Inspection): Promise<Judgement[]> {
  const { document, path, key, encoded, prefix } = place;
  if (key === "") return []; // whoever needs it says so
  const say = (message: string): Judgement[] => [{ document, path, message: prefix + message }];
  if (encoded && key !== REDACTED && !isBase64(key)) return say("is not base64");
  const read = await inspectServiceAccountKey(encoded ? decodePem(key) : key, keys);
  return "publicKey" in read ? [] : say(read.message);
}
