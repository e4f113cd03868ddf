/** What is counted of one controller, and how it is told (cosi.md §6.9). */

/** The counters of a controller. */
export class Tally {
  /** Reconciles and runs that threw. */
  crashes = 0;
  /** Times that it was queued, or that a unit of it was. */
  wakeups = 0;
  /** Snapshots, and reads of its own. */
  reads = 0;
  /** Single writes; those that failed too. */
  writes = 0;
  /** Reconciles that returned no outputs. */
  skips = 0;
  /** Wake-ups and tries that were asked for. */
  requeues = 0;
  /** Runs that ended. */
  processed = 0;
  /** Changes of mapped inputs. */
  mappedIn = 0;
  /** Items that they concerned. */
  mappedOut = 0;
  busyMs = 0;
}

type Counts = Readonly<Record<string, number>>;

/**
 * COSI's metrics by controller name. Two have no meaning here and are left out:
 * `cached_resources`, as there is no cache, and `qcontroller_map_busy`, as a change is mapped while
 * it is told and never queued. Of a controller that reconciles all items at once
 * `reconcile_cycles` and `reconcile_busy` are told, as of COSI's transform.
 */
export interface Metrics {
  readonly controller_crashes: Counts;
  readonly controller_wakeups: Counts;
  readonly controller_reads: Counts;
  readonly controller_writes: Counts;
  readonly qcontroller_crashes: Counts;
  readonly qcontroller_skips: Counts;
  readonly qcontroller_requeues: Counts;
  readonly qcontroller_processed: Counts;
  readonly qcontroller_mapped_in: Counts;
  readonly qcontroller_mapped_out: Counts;
  readonly qcontroller_queue_length: Counts;
  /** Seconds. */
  readonly qcontroller_reconcile_busy: Counts;
  readonly reconcile_cycles: Counts;
  /** Seconds. */
  readonly reconcile_busy: Counts;
}

/** What the metrics are told of. */
export interface Counted {
  readonly controller: { readonly name: string };
  readonly each: string | undefined;
  readonly ready: { readonly size: number };
  readonly tally: Tally;
}

/** The metrics of all controllers. */
export function metricsOf(lanes: readonly Counted[]): Metrics {
  const queued = lanes.filter(({ each }) => each !== undefined);
  const plain = lanes.filter(({ each }) => each === undefined);
  const counts = (of: readonly Counted[], count: (lane: Counted) => number): Counts =>
    Object.fromEntries(of.map((lane) => [lane.controller.name, count(lane)]));
  return {
    controller_crashes: counts(plain, ({ tally }) => tally.crashes),
    controller_wakeups: counts(plain, ({ tally }) => tally.wakeups),
    controller_reads: counts(lanes, ({ tally }) => tally.reads),
    controller_writes: counts(lanes, ({ tally }) => tally.writes),
    qcontroller_crashes: counts(queued, ({ tally }) => tally.crashes),
    qcontroller_skips: counts(queued, ({ tally }) => tally.skips),
    qcontroller_requeues: counts(queued, ({ tally }) => tally.requeues),
    qcontroller_processed: counts(queued, ({ tally }) => tally.processed),
    qcontroller_mapped_in: counts(queued, ({ tally }) => tally.mappedIn),
    qcontroller_mapped_out: counts(queued, ({ tally }) => tally.mappedOut),
    qcontroller_queue_length: counts(queued, ({ ready }) => ready.size),
    qcontroller_reconcile_busy: counts(queued, ({ tally }) => tally.busyMs / 1000),
    reconcile_cycles: counts(plain, ({ tally }) => tally.processed),
    reconcile_busy: counts(plain, ({ tally }) => tally.busyMs / 1000),
  };
}
