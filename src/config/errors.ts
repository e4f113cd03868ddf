/** Failures of configuration files: one class each, with a stable code, and never a value of a field. */
import { CodedError } from "#runtime";

/** A configuration is not YAML, or a field of it has the wrong shape; the message has file and line. */
export class ConfigParseError extends CodedError {
  readonly code = "ERR_CONFIG_PARSE";
}

/** A configuration holds a document of a kind that nobody knows. */
export class UnknownDocumentError extends CodedError {
  readonly code = "ERR_CONFIG_UNKNOWN_DOCUMENT";
}

/** A configuration holds two documents of one kind and name. */
export class DuplicateDocumentError extends CodedError {
  readonly code = "ERR_CONFIG_DUPLICATE_DOCUMENT";
}

/** A patch of a configuration is none, or does not fit the configuration; nothing was changed. */
export class ConfigPatchError extends CodedError {
  readonly code = "ERR_CONFIG_PATCH";
}

/** What is asked of a configuration is not in it. */
export class ConfigIncompleteError extends CodedError {
  readonly code = "ERR_CONFIG_INCOMPLETE";
}

/** A configuration was checked and has problems; all of them are named. */
export class ConfigInvalidError extends CodedError {
  readonly code = "ERR_CONFIG_INVALID";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(listProblems(problems));
    this.problems = problems;
  }
}

/** A secrets bundle is not YAML, or not a mapping. */
export class BundleParseError extends CodedError {
  readonly code = "ERR_BUNDLE_PARSE";
}

/** A secrets bundle was checked and has problems; all of them are named. */
export class BundleInvalidError extends CodedError {
  readonly code = "ERR_BUNDLE_INVALID";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(listProblems(problems));
    this.problems = problems;
  }
}

/** A version is not of the form `v1.13`. */
export class TalosVersionError extends CodedError {
  readonly code = "ERR_TALOS_VERSION";
}

/** The endpoint of a cluster is not an https URL. */
export class EndpointError extends CodedError {
  readonly code = "ERR_ENDPOINT";
}

/** A cluster has a name that nothing can be called by. */
export class ClusterNameError extends CodedError {
  readonly code = "ERR_CLUSTER_NAME";
}

/** A version of Kubernetes is not of the form `1.36.2`. */
export class KubernetesVersionError extends CodedError {
  readonly code = "ERR_KUBERNETES_VERSION";
}

/** The domain of a cluster is not a DNS domain. */
export class DnsDomainError extends CodedError {
  readonly code = "ERR_DNS_DOMAIN";
}

/** A name for a certificate is neither a DNS name nor an address. */
export class CertSanError extends CodedError {
  readonly code = "ERR_CERT_SAN";
}

/** Roles are asked for that Talos does not have. */
export class UnknownRolesError extends CodedError {
  readonly code = "ERR_UNKNOWN_ROLES";
}

/** A talosconfig cannot be read. */
export class TalosconfigParseError extends CodedError {
  readonly code = "ERR_TALOSCONFIG_PARSE";
}

/** A talosconfig has no context of that name, or has one already. */
export class TalosContextError extends CodedError {
  readonly code = "ERR_TALOS_CONTEXT";
}

/** A kubeconfig cannot be read. */
export class KubeconfigParseError extends CodedError {
  readonly code = "ERR_KUBECONFIG_PARSE";
}

/** Lists problems as Talos does: a header with their number, then one bullet each. */
function listProblems(problems: readonly string[]): string {
  const errors = problems.length === 1 ? "1 error" : `${problems.length} errors`;
  return [`${errors} occurred:`, ...problems.map((problem) => `\t* ${problem}`)].join("\n");
}
