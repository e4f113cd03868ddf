/** Talos' call: who has a token gets a serving certificate, and is no member for that. */
import type { CertificateRequest, CertificateResponse } from "../rpc/gen/security/security.ts";
import { gateBounds, outsideBounds } from "./admission/bounds.ts";
import { namesOf } from "./admission/names.ts";
import { firstObjection } from "./admission/objection.ts";
import { nameOfAnother } from "./admission/others.ts";
import type { Standing } from "./admission/standing.ts";
import { foreignAddress } from "./admission/strict.ts";
import { grantOf, MACHINE_TOKEN, objectionToToken, objectionToUse } from "./admission/token.ts";
import type { Attempt } from "./attempts.ts";
import { AdmissionRefusedError } from "./errors.ts";
import { putIssued, spend } from "./records.ts";
import { readRequest } from "./request.ts";
import type { Signing } from "./signing.ts";

/** Answers it. */
export async function answerCertificate(
  attempt: Attempt,
  request: CertificateRequest,
  signing: Signing,
): Promise<CertificateResponse> {
  const { facts, ledger, issuing, clock, isStrict, cluster } = signing;
  const { presented, peer } = attempt;
  if (presented.name !== MACHINE_TOKEN) await cluster.open();
  attempt.mayCost();
  const csr = await readRequest(request.csr);
  attempt.asksFor(csr);
  const names = namesOf(csr);
  const admit = (standing: Standing) => {
    const objection = firstObjection(
      () => objectionToToken(presented, standing, clock.now()),
      () => objectionToUse(presented, standing),
      () => outsideBounds(names, grantOf(presented, standing).bounds),
      () => nameOfAnother(names, { own: undefined, now: clock.now() }, standing),
      () => (isStrict ? foreignAddress(names, peer, [], standing) : undefined),
    );
    if (objection !== undefined) throw new AdmissionRefusedError(objection);
  };
  admit(facts);
  const certificate = await issuing.plain(csr, gateBounds(names, grantOf(presented, facts).bounds));
  await attempt.begins();
  await ledger.enter((draft) => {
    admit(draft);
    issuing.recheck(certificate);
    spend(draft, presented.name);
    putIssued(draft, "nodeServer", certificate, { nodeId: "", token: presented.name, peer });
  });
  return { ca: Buffer.from(facts.acceptedPem()), crt: Buffer.from(certificate.pem) };
}
