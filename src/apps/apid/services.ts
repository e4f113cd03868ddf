/** Everything that apid serves, in one list; a method that is left out answers UNIMPLEMENTED. */
import type { Edge } from "#runtime/engine";
import { StateService, stateServer, type StateServerOptions } from "#runtime/rpc";
import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { ClusterServiceService } from "../rpc/gen/cluster/cluster.ts";
import { ControlServiceService } from "../rpc/gen/control/control.ts";
import { InspectServiceService } from "../rpc/gen/inspect/inspect.ts";
import { MachineServiceService } from "../rpc/gen/machine/machine.ts";
import { NodeServiceService } from "../rpc/gen/node/node.ts";
import { TimeServiceService } from "../rpc/gen/time/time.ts";
import type { Register } from "../trustd/members/register.ts";
import type { Tokens } from "../trustd/tokens.ts";
import { clusterMethods, type CheckHealth } from "./cluster.ts";
import { denialMethods, renewalMethods, type Denials, type RenewLeaves } from "./control.ts";
import { inspectMethods } from "./inspect.ts";
import { applyConfigurationMethods, type Apply } from "./machine/apply-configuration.ts";
import {
  clientConfigurationMethods,
  type IssueClientConfiguration,
} from "./machine/client-configuration.ts";
import { containersMethods } from "./machine/containers.ts";
import type { Directory } from "./machine/file-tree.ts";
import { filesMethods } from "./machine/files.ts";
import { kubeconfigMethods, type KubeconfigPort } from "./machine/kubeconfig.ts";
import { eventsMethods, type NodeEvents } from "./machine/events.ts";
import { lifecycleMethods, type EndRun } from "./machine/lifecycle.ts";
import { logsMethods, type NodeLogs } from "./machine/logs.ts";
import { resetMethods, type ResetNode } from "./machine/reset.ts";
import { servicesMethods, type NodeServices } from "./machine/services.ts";
import { versionMethods, type Build } from "./machine/version.ts";
import { memberMethods, tokenMethods } from "./members.ts";
import { nodeMethods, type MemberPorts } from "./node-service.ts";
import { policyMethods, type PolicyPort } from "./policy.ts";
import type { Router } from "./router.ts";
import { timeMethods, type Timekeeping } from "./time.ts";

/** What the services ask of their node; what a node cannot do is left out, and not served. */
export interface NodePorts extends MemberPorts {
  readonly build: Build;
  readonly applyConfiguration: Apply;
  readonly issueClientConfiguration: IssueClientConfiguration;
  /** What the controllers read and write. */
  readonly graph?: () => readonly Edge[];
  readonly renewLeaves?: RenewLeaves;
  readonly denials?: Denials;
  readonly policy?: PolicyPort;
  readonly tokens?: Tokens;
  readonly register?: Register;
  readonly time?: Timekeeping;
  readonly health?: CheckHealth;
  /** The root of what `list` and `read` show. */
  readonly files?: Directory;
  readonly kubeconfig?: KubeconfigPort;
  readonly services?: NodeServices;
  readonly logs?: NodeLogs;
  readonly events?: NodeEvents;
  readonly endRun?: EndRun;
  readonly resetNode?: ResetNode;
}

/** A service and what of it is served. */
export type Service = readonly [ServiceDefinition, UntypedServiceImplementation];

/** Makes the handlers of the service of nodes, which stands behind no forwarding. */
export const memberService = (
  ports: NodePorts,
  options: Parameters<typeof nodeMethods>[1],
): Service => [NodeServiceService, nodeMethods(ports, options)];

/** Makes the handlers. */
export function servicesOf(
  router: Router,
  ports: NodePorts,
  state: StateServerOptions,
): readonly Service[] {
  return [
    [StateService, stateServer(state)],
    [
      MachineServiceService,
      {
        ...versionMethods(router, ports.build),
        ...applyConfigurationMethods(router, ports.applyConfiguration),
        ...clientConfigurationMethods(router, ports.issueClientConfiguration),
        ...containersMethods(router),
        ...(ports.files && filesMethods(router, ports.files)),
        ...(ports.kubeconfig && kubeconfigMethods(router, ports.kubeconfig)),
        ...(ports.services && servicesMethods(router, ports.services)),
        ...(ports.logs && logsMethods(router, ports.logs)),
        ...(ports.events && eventsMethods(router, ports.events)),
        ...(ports.endRun && lifecycleMethods(router, ports.endRun)),
        ...(ports.resetNode && resetMethods(router, ports.resetNode)),
      },
    ],
    [InspectServiceService, { ...(ports.graph && inspectMethods(router, ports.graph)) }],
    [
      ControlServiceService,
      {
        ...(ports.renewLeaves && renewalMethods(router, ports.renewLeaves)),
        ...(ports.denials && denialMethods(router, ports.denials)),
        ...(ports.policy && policyMethods(router, ports.policy)),
        ...(ports.tokens && tokenMethods(router, ports.tokens)),
        ...(ports.register && memberMethods(router, ports.register)),
      },
    ],
    [TimeServiceService, { ...(ports.time && timeMethods(router, ports.time)) }],
    [ClusterServiceService, { ...(ports.health && clusterMethods(router, ports.health)) }],
  ];
}
