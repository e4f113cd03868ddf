/** `policy why`: what each rule says of a certificate, or of what a request asks for. */
import { readPolicy } from "#config";
import {
  buildName,
  type CompiledPolicy,
  type Csr,
  defaultInForce,
  examine,
  type Finding,
  judge,
  type Judged,
  leafProfiles,
  nameParts,
  organizations,
  type ProfileName,
  readCertificate,
  readCsr,
  readPem,
  writePem,
} from "#pki";
import { UsageError } from "../errors.ts";
import { readInput } from "../files.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { formatTable } from "../output/table.ts";
import { OK, REFUSED } from "../status.ts";

interface WhyOptions {
  readonly file: string;
  readonly profile?: string;
  readonly policy?: string;
  readonly default: boolean;
}

const profiles = Object.keys(leafProfiles) as ProfileName[];

/** Prints what each rule says; the exit status is that of the verdict. */
export async function policyWhy(io: Io, options: WhyOptions, flags: Connection): Promise<number> {
  const { file, profile } = options;
  if (options.default && options.policy !== undefined)
    throw new UsageError("say --policy with a file, or --default, and not both");
  if (profile !== undefined && !profiles.some((name) => name === profile))
    throw new UsageError(
      `there is no profile ${JSON.stringify(profile)}: there is ${profiles.join(", ")}`,
    );
  const asked = await readAsked(await readInput(io, file), file);
  const offline = await offlinePolicy(io, options);
  if (offline !== undefined) return explain(io, asked, profile, offline);
  return withNodes(io, flags, async (nodes) => {
    const answers = await nodes.each((node) => nodes.client.policy({ node }));
    const verdicts = answers.map(({ node, answer }) => {
      if (answers.length > 1) io.stdout.write(`${node}:\n`);
      return explain(io, asked, profile, readPolicy(answer, `the policy of ${node}`).compiled);
    });
    const status = nodes.status();
    return status === OK ? Math.max(OK, ...verdicts) : status;
  });
}

async function offlinePolicy(io: Io, options: WhyOptions): Promise<CompiledPolicy | undefined> {
  if (options.default) return defaultInForce();
  const { policy } = options;
  return policy === undefined
    ? undefined
    : readPolicy(await readInput(io, policy), policy).compiled;
}

/** What a file holds; of a request a signer takes part only, by what it issues. */
interface Asked {
  readonly what: string;
  readonly byDefault: (policy: CompiledPolicy) => ProfileName;
  readonly judged: (profile: string) => Judged;
  readonly dropped: (profile: string) => readonly (readonly string[])[];
}

/** @throws {PemError} {@link PemLabelError} {@link CertificateParseError} {@link CsrRejectedError} */
async function readAsked(text: string, file: string): Promise<Asked> {
  const blocks = readPem(text, file);
  const block = blocks.find(({ label }) => /^CERTIFICATE$|REQUEST$/.test(label));
  if (block?.label.endsWith("REQUEST") === true) return askedBy(await readCsr(text, file));
  // Without one the text is read as what it should be, so that the error says what it is instead.
  const pem = block === undefined ? text : writePem(block.label, block.der);
  const certificate = readCertificate(pem, file);
  return {
    what: "certificate",
    byDefault: (policy) => nearest(certificate, policy),
    judged: () => certificate,
    dropped: () => [],
  };
}

/** Who signs for a node gives it its organization, whatever it asks for. */
const organizationOf: Readonly<Partial<Record<string, readonly string[]>>> = {
  nodeServer: [],
  nodeIdentity: leafProfiles.nodeIdentity.organizations,
};

function askedBy(csr: Csr): Asked {
  return {
    what: "request",
    byDefault: () => "nodeServer",
    judged: (profile) => {
      const given = organizationOf[profile];
      if (given === undefined) return csr;
      return { ...csr, subject: buildName({ ...nameParts(csr.subject), organizations: given }) };
    },
    dropped: (profile) =>
      profile in organizationOf
        ? organizations(csr.subject).map((value) => [
            "-",
            "subject.organizationName",
            value,
            "left out by whoever signs",
          ])
        : [],
  };
}

/** The profile of which least is refused. */
function nearest(judged: Judged, policy: CompiledPolicy): ProfileName {
  let best: { readonly name: ProfileName; readonly count: number } | undefined;
  for (const name of profiles) {
    const count = judge(judged, name, policy).length;
    if (best === undefined || count < best.count) best = { name, count };
  }
  return best?.name ?? "nodeServer";
}

function explain(
  io: Io,
  asked: Asked,
  stated: string | undefined,
  policy: CompiledPolicy,
): typeof OK | typeof REFUSED {
  const profile = stated ?? asked.byDefault(policy);
  const findings = [...examine(asked.judged(profile), profile, policy)];
  const refusals = findings.filter(({ why }) => why !== undefined);
  const rows = [...asked.dropped(profile), ...findings.map(row)];
  io.stdout.write(formatTable([["RULE", "FIELD", "VALUE", "VERDICT"], ...rows]));
  const verdict = refusals.length === 0 ? "may be issued" : "is refused";
  io.stdout.write(`\nthe ${asked.what} ${verdict} as ${profile}\n`);
  return refusals.length === 0 ? OK : REFUSED;
}

const VALUE_MAX = 60;

function row({ rule, field, value, why }: Finding): readonly string[] {
  const shown = value.length > VALUE_MAX ? `${value.slice(0, VALUE_MAX)}…` : value;
  return [
    rule,
    field,
    shown === "" ? "-" : shown,
    why === undefined ? "allowed" : `refused: ${why}`,
  ];
}
