/** Reads an archive by the machine's own tar, which is nobody of ours. */
import { spawnSync } from "node:child_process";

const tar = (archive: Uint8Array, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync("tar", [...args, "-f", "-"], { input: archive });
  if (status !== 0) throw new Error(`tar: ${stderr.toString()}`);
  return stdout.toString();
};

const octal = (letters: string): string =>
  "0" +
  [0, 3, 6]
    .map((at) =>
      letters
        .slice(at, at + 3)
        .split("")
        .reduce((sum, letter, i) => sum + (letter === "-" ? 0 : 4 >> i), 0),
    )
    .join("");

/** The files of an archive; `type` is the letter that `ls -l` begins with. */
export const untar = (archive: Uint8Array) =>
  tar(archive, "-tv")
    .trim()
    .split("\n")
    .map((line) => {
      const name = line.split(/\s+/)[5] ?? "";
      const [type, mode] = [line.slice(0, 1), octal(line.slice(1, 10))];
      return { name, mode, type, content: tar(archive, "-xO", name) };
    });
