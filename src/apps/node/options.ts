/** What a node is started with, as the command line gives it. */
export interface NodeOptions {
  /** Files of one machine configuration, joined in order; none: the stored one, or a demo. */
  readonly configFiles: readonly string[];
  readonly stateDir: string;
  /** Default `<state-dir>/pki`. */
  readonly pkiDir?: string;
  /** An IP address: listeners bind to it and outgoing calls leave from it. */
  readonly apiAddress: string;
  readonly apiPort: number;
  /** Where trustd listens on control planes; default 50001. One that is named has to be free. */
  readonly trustdPort?: number;
  /** Addresses are certified for nodes that ask from them, or have them on record, only. */
  readonly strictJoin?: boolean;
  /** Whether nodes may join by `machine.token`; default yes. */
  readonly machineToken?: boolean;
  /** Wins over the configuration and the machine's own name. */
  readonly hostname?: string;
  /** Addresses of the cluster's control planes; this node may be among them. */
  readonly members?: readonly string[];
  /** Default `auto`; `none` for a demo and off Linux. */
  readonly timeSource?: "auto" | "none";
  /** Applies the configuration files to a state directory that has one already. */
  readonly configOverwrite: boolean;
  /** A node without state waits for a configuration, instead of making itself a demo. */
  readonly maintenance?: boolean;
  /** Where it waits; default 127.0.0.1. */
  readonly maintenanceAddress?: string;
  /** Takes over files below the PKI directory that were not written by a node. */
  readonly adopt: boolean;
}

/** Where a node writes, and what ends it. */
export interface NodeIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly stderrIsTerminal: boolean;
  readonly signal: AbortSignal;
}
