/** How much a workload does. Both sides read the same object; what a workload does not know it ignores. */
export interface Size {
  readonly store?: "memory" | "sqlite" | "remote" | "api" | "trustd";
  /** How many operations are measured. */
  readonly count: number;
  /** How many resources are there before. */
  readonly items?: number;
  /** How many operations are done before, in another namespace. */
  readonly warmup?: number;
  /** How many operations are under way at once; default one. */
  readonly inFlight?: number;
  /** How many watches there are while the operations are done. */
  readonly watchers?: number;
  /** Whether each watch has a connection of its own. */
  readonly isApart?: boolean;
}

/** What the harness adds for one measurement. */
export interface Place {
  /** Where files may be made; it is dropped after the measurement. */
  readonly directory?: string;
  /** Where the server of a remote store, or a node, listens. */
  readonly address?: string;
  /** The process of that server, where its memory is what counts. */
  readonly pid?: number;
  /** The program whose start is measured. */
  readonly program?: string;
}

/** What a workload is given. */
export type Task = Size & Place;

/** Measures one thing, in the unit of its row. */
export type Workload = (task: Task) => Promise<number>;
