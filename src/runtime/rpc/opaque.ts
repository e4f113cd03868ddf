/** Specs of kinds that a server does not know: kept as they came, in both forms (cosi.md §5.4). */

/** Both forms of a spec, verbatim. */
export interface OpaqueSpec {
  /** Base64 of `proto_spec`. */
  readonly proto: string;
  /** `yaml_spec`. */
  readonly yaml: string;
}

/** Takes a spec as it stands on the wire. */
export const opaqueSpec = (proto: Uint8Array, yaml: string): OpaqueSpec => ({
  proto:
    proto.length === 0
      ? ""
      : Buffer.from(proto.buffer, proto.byteOffset, proto.byteLength).toString("base64"),
  yaml,
});

/** Tells a spec that was kept verbatim from one that somebody in this process wrote. */
export function isOpaqueSpec(spec: unknown): spec is OpaqueSpec {
  if (typeof spec !== "object" || spec === null) return false;
  const { proto, yaml } = spec as Partial<Record<keyof OpaqueSpec, unknown>>;
  return typeof proto === "string" && typeof yaml === "string" && Object.keys(spec).length === 2;
}
