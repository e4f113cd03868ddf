/** `MachineService/Containers`: nothing here runs in one, which clients ask before they collect logs. */
import { Container, type MachineServiceServer } from "../../rpc/gen/machine/machine.ts";
import type { Router } from "../router.ts";

export const containersMethods = (router: Router): Pick<MachineServiceServer, "containers"> => ({
  containers: router.unary(Container, () => ({ containers: [] })),
});
