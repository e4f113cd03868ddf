/** Runs all rows, round by round, both sides of a row next to each other. */
import type { Measured } from "./results.ts";
import { sizeOf, type Group, type MeasuredRow, type Side } from "./row.ts";
import type { Size } from "./size.ts";

/** Measures one side of a row once, in processes of its own. */
export type Measure = (side: Side, row: MeasuredRow, size: Size) => Promise<number>;

/** When a run has to end, on a clock of milliseconds. */
export interface Deadline {
  readonly at: number;
  readonly now: () => number;
}

export interface Plan {
  readonly groups: readonly Group[];
  readonly rounds: number;
  readonly isQuick: boolean;
  /** Whether Go's side is run at all. */
  readonly withGo: boolean;
  readonly measure: Measure;
  /** No round is begun that would end later than this if it took as long as the one before. */
  readonly end?: Deadline;
  /** Called before each measurement. */
  readonly progress?: (text: string) => void;
  readonly signal?: AbortSignal;
}

class Course {
  readonly values: Record<Side, number[]> = { ours: [], go: [] };
  readonly remarks: string[] = [];
  hasFailed = false;
  readonly row: MeasuredRow;

  constructor(row: MeasuredRow) {
    this.row = row;
  }
}

/** What came out, group by group, and whether every measurement ended well. */
export interface Outcome {
  readonly measured: ReadonlyMap<Group, readonly Measured[]>;
  readonly failures: number;
}

export async function run(plan: Plan): Promise<Outcome> {
  const courses = new Map(plan.groups.map((group) => [group, group.rows.map(newCourse(plan))]));
  const all = [...courses.values()].flat();
  for (let round = 0, taken = 0; round < plan.rounds && isTimeFor(plan, taken); round++) {
    const start = plan.end?.now() ?? 0;
    for (const course of all)
      for (const side of order(round)) {
        plan.signal?.throwIfAborted();
        if (isDue(plan, course, side, round)) await measureOnce(plan, course, side, round);
      }
    taken = (plan.end?.now() ?? 0) - start;
  }
  return { measured: courses, failures: all.filter(({ hasFailed }) => hasFailed).length };
}

/** @param taken by the round before; the first one always has the time */
const isTimeFor = ({ end }: Plan, taken: number) =>
  end === undefined || taken === 0 || end.now() + taken <= end.at;

const newCourse =
  ({ isQuick, withGo }: Plan) =>
  (row: MeasuredRow) => {
    const course = new Course(row);
    if (row.tooSlowForQuick !== undefined && isQuick && withGo)
      course.remarks.push(`Go is left out of a quick run: ${row.tooSlowForQuick}`);
    return course;
  };

/** Neither side always has what the other one leaves behind in the machine. */
const order = (round: number): readonly Side[] =>
  round % 2 === 0 ? ["ours", "go"] : ["go", "ours"];

function isDue({ isQuick, withGo }: Plan, { row, hasFailed }: Course, side: Side, round: number) {
  if (hasFailed || round >= (row.rounds?.[side] ?? Infinity)) return false;
  if (side === "ours") return true;
  const hasGo = row.limit === undefined || row.isCompared === true;
  return withGo && hasGo && !(isQuick && row.tooSlowForQuick !== undefined);
}

async function measureOnce(plan: Plan, course: Course, side: Side, round: number): Promise<void> {
  const { row } = course;
  plan.progress?.(`round ${round + 1} of ${plan.rounds}, ${side}: ${row.group}: ${row.name}`);
  try {
    course.values[side].push(await plan.measure(side, row, sizeOf(row, plan.isQuick)));
  } catch (error) {
    plan.signal?.throwIfAborted();
    course.hasFailed = true;
    course.remarks.push(
      `${side} failed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
