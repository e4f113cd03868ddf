/** What system calls mean, in the words that people know from their shell. */
const TEXTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "disk quota exceeded",
  EEXIST: "file exists",
  EIO: "input/output error",
  EISDIR: "it is a directory",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on the device",
  ENOTDIR: "not a directory",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
};

/** Why a system call failed; the system's own words where there are no better ones. */
export function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return TEXTS[code] ?? (cause instanceof Error ? cause.message : String(cause));
}
