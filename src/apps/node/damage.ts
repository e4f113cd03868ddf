/** What is said about stored resources that cannot be read, and what mends them. */
import {
  ACTIVE,
  CertificatePolicy,
  Identity,
  MachineConfig,
  NodeCertificate,
  ROLLBACK,
  SEED,
  STAGED,
} from "#resources";
import type { Pointer } from "#runtime";
import type { DamagedRow } from "#runtime/store";

/** A stored resource that could not be read when the node started. */
export interface Damage {
  readonly pointer: Pointer;
  readonly problem: string;
  /** What becomes of it, as a sentence. */
  readonly remedy: string;
  /** What mends it; empty where nothing is to be done. */
  readonly command: string;
}

/** Says what becomes of rows that cannot be read; the rows themselves are kept in the database. */
export const damageIn = (rows: readonly DamagedRow[]): readonly Damage[] =>
  rows.map((row) => ({ ...row, ...remedyFor(row.pointer) }));

function remedyFor({ type, id }: Pointer): Pick<Damage, "remedy" | "command"> {
  if (type === MachineConfig.type && id === ACTIVE)
    return {
      remedy: "everything made from the configuration stays as it is until it is applied again",
      command: "trustplane apply-config -f FILE",
    };
  if (type === MachineConfig.type && id === SEED)
    return {
      remedy: "what started this state directory is not known any more",
      command: "trustplane up --config FILE --config-overwrite",
    };
  if (type === MachineConfig.type && id === STAGED)
    return {
      remedy: "the configuration that was staged is lost; what is in force stays in force",
      command: "trustplane apply-config -f FILE --mode staged",
    };
  if (type === MachineConfig.type && id === ROLLBACK)
    return {
      remedy: "the configuration on trial stays in force, for the one before it is lost",
      command: "trustplane apply-config -f FILE",
    };
  if (type === Identity.type)
    return { remedy: "the id of this node was taken from its files, or drawn anew", command: "" };
  if (type === CertificatePolicy.type)
    return {
      remedy: "nothing is issued to nodes and clients until a policy is applied",
      command: "trustplane policy apply -f FILE",
    };
  if (type === NodeCertificate.type)
    return {
      remedy:
        "this node asks for new certificates with its token; on record under the key that is lost, it is " +
        "let in only once it was removed there",
      command: "",
    };
  return { remedy: "it is made anew from what it derives from", command: "" };
}
