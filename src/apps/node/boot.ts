/** What tells one start of a node from the next. */
import type { Random } from "#runtime";

/** A random UUID (RFC 9562 §5.4). */
export function uuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** One run of a node, from its start until it is shut down or rebooted. */
export interface Boot {
  /** A UUID, as Linux has it in `/proc/sys/kernel/random/boot_id`; another one after each reboot. */
  readonly bootId: string;
}

/** Begins a run. */
export const newBoot = (random: Random): Boot => ({ bootId: uuid(random) });
