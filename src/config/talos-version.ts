/** The Talos version that a file is written for; it decides what is written (talos-pki.md §3.3). */
import { TalosVersionError } from "./errors.ts";

/** A minor version of Talos. */
export interface TalosVersion {
  readonly major: number;
  readonly minor: number;
}

/** The version that files are written for where none is named. */
export const DEFAULT_TALOS_VERSION = "v1.13";

/**
 * Reads `v1.13`, `v1.13.5`, `v1.13.0-beta.1`.
 *
 * @throws {TalosVersionError} naming the form
 */
export function readTalosVersion(text: string): TalosVersion {
  const match = /^v(\d+)\.(\d+)($|\.)/.exec(text);
  if (match === null)
    throw new TalosVersionError(
      `${JSON.stringify(text)} is not a version of Talos: write it as ${DEFAULT_TALOS_VERSION}`,
    );
  return { major: Number(match[1]), minor: Number(match[2]) };
}

/** Tells whether a version is 1.`minor` or later. */
export const isAtLeast = (version: TalosVersion, minor: number): boolean =>
  version.major > 1 || (version.major === 1 && version.minor >= minor);
