/** `config info`: the current context in a few lines (talos-pki.md §3.6). */
import { infoOfContext, type TalosContext } from "#config/talosconfig";
import { rfc3339 } from "#runtime";
import type { Connection } from "../../flags.ts";
import type { Io } from "../../io.ts";
import { relativeTime } from "../../output/relative-time.ts";
import { chosenContext, openTalosconfig } from "../../talosconfig.ts";

/** The flags of `config info`. */
export interface InfoOptions {
  readonly output?: "text" | "json" | "yaml";
}

/** What is told about a context; the last three only where it has a certificate. */
interface Info {
  readonly context: string;
  readonly nodes: readonly string[];
  readonly endpoints: readonly string[];
  readonly roles: readonly string[];
  readonly certTTL: string;
  readonly certNotAfter: string;
}

/** Prints the context in use. */
export async function info(io: Io, options: InfoOptions, flags: Connection): Promise<number> {
  const file = await openTalosconfig(io, flags);
  const { name, context } = chosenContext(file, flags);
  const { nodes = [], endpoints } = context;
  const told: Info = {
    context: name,
    nodes,
    endpoints,
    ...certificateInfo(io, context, `${file.path}: contexts.${name}.crt`),
  };
  io.stdout.write(await shapes[options.output ?? "text"](told));
  return 0;
}

function certificateInfo({ clock }: Io, context: TalosContext, source: string) {
  const found = infoOfContext(context, source);
  if (found === undefined) return { roles: [], certTTL: "", certNotAfter: "" };
  const { roles, notAfter } = found;
  return {
    roles,
    certTTL: relativeTime(notAfter, clock.now()),
    certNotAfter: rfc3339(notAfter).slice(0, "2006-01-02".length),
  };
}

const shapes = {
  text: (told: Info) =>
    [
      `Current context:     ${told.context}`,
      `Nodes:               ${told.nodes.join(", ") || "not defined"}`,
      `Endpoints:           ${told.endpoints.join(", ") || "not defined"}`,
      ...(told.certNotAfter === ""
        ? []
        : [
            `Roles:               ${told.roles.join(", ")}`,
            `Certificate expires: ${told.certTTL} (${told.certNotAfter})`,
          ]),
      "",
    ].join("\n"),
  json: (told: Info) => `${JSON.stringify(told, undefined, 4)}\n`,
  yaml: async (told: Info) => {
    const { stringify } = await import("yaml");
    return stringify(told, { indent: 4, lineWidth: 0 });
  },
};
