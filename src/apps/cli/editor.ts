/** The editor of the user. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { CodedError } from "#runtime";

/** The editor ended with a failure; what was being edited is as it was. */
export class EditorFailedError extends CodedError {
  readonly code = "ERR_EDITOR_FAILED";
}

/**
 * Opens a file in the editor of TALOS_EDITOR or EDITOR, else in vi. A shell splits the variable, which
 * may hold flags beside the program.
 *
 * @throws {EditorFailedError} when it does not end with status 0
 */
export async function openEditor(
  env: Readonly<Record<string, string | undefined>>,
  path: string,
): Promise<void> {
  const editor = [env.TALOS_EDITOR, env.EDITOR].find((name) => name !== undefined && name !== "");
  const child = spawn("sh", ["-c", `${editor ?? "vi"} "$1"`, "edit", path], { stdio: "inherit" });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (code !== 0)
    throw new EditorFailedError(
      `the editor ${JSON.stringify(editor ?? "vi")} ended with ${code ?? signal ?? "a failure"}; ` +
        "the variable EDITOR names another",
    );
}
