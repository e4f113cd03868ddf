/** `MachineService/Kubeconfig`: an administrator's kubeconfig in a gzip'd tar (talosctl-wire.md §2.8). */
import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import type { Clock } from "#runtime";
import type { MachineServiceServer } from "../../rpc/gen/machine/machine.ts";
import type { Router } from "../router.ts";
import { sendBytes } from "./data.ts";

/** How a node issues kubeconfigs. */
export interface KubeconfigPort {
  /**
   * A new one for an administrator, as YAML text.
   *
   * @throws {ControlPlaneOnlyError} {@link KubernetesAuthorityMissingError}
   */
  readonly issue: () => Promise<string>;
  readonly clock: Pick<Clock, "now">;
}

export const kubeconfigMethods = (
  router: Router,
  { issue, clock }: KubeconfigPort,
): Pick<MachineServiceServer, "kubeconfig"> => ({
  kubeconfig: router.stream(async (_, sink) => {
    const body = await issue();
    const header = {
      name: "kubeconfig",
      type: "file",
      mode: 0o600,
      size: Buffer.byteLength(body),
      mtime: new Date(clock.now()),
    } as const;
    await sendBytes(gzipSync(await packTar([{ header, body }])), sink);
  }),
});
