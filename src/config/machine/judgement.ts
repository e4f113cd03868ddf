/** What the rules of a configuration say, and how rules are written. */
import type { FieldPath } from "../yaml/read.ts";
import type { ConfigDocument } from "./documents.ts";
import type { MachineConfig } from "./machine-config.ts";
import type { V1Alpha1 } from "./schema.ts";

/** Where Talos is to run, which decides what it needs. */
export type RuntimeMode = "metal" | "cloud" | "container";

/** Something that a rule has to say about a field. */
export interface Judgement {
  readonly document: ConfigDocument;
  readonly path: FieldPath;
  readonly message: string;
  /** An error where absent. */
  readonly severity?: "warning";
}

/** What rules look at. */
export interface Subject {
  readonly config: MachineConfig;
  readonly mode: RuntimeMode;
  readonly isControlPlane: boolean;
  /** The document without a kind. */
  readonly document: ConfigDocument;
  readonly machine: NonNullable<V1Alpha1["machine"]>;
  readonly cluster: V1Alpha1["cluster"];
}

/** A rule: what it has to say. */
export type MachineRule = (subject: Subject) => Iterable<Judgement>;
