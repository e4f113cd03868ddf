/** Requests to replace leaves before their time, as those see them who issue leaves and who report them. */
import type { Replacement } from "#pki";
import type { RenewalRequest } from "#resources";
import {
  after,
  at,
  type DeepReadonly,
  type Instant,
  type Resource,
  seconds,
  type SpecOf,
} from "#runtime";

type Request = SpecOf<typeof RenewalRequest>;

/** What of a controller's leaves is to be replaced; `ids` are those of their statuses. */
export function replacementsOf<Name extends string>(
  requests: readonly Resource<Request>[],
  ids: Readonly<Record<Name, string>>,
): Partial<Record<Name, Replacement>> {
  const found: Partial<Record<Name, Replacement>> = {};
  for (const name of Object.keys(ids) as Name[]) {
    const request = requests.find(({ metadata }) => metadata.id === ids[name]);
    if (request !== undefined) found[name] = request.spec;
  }
  return found;
}

/** Whether the certificate that is meant is still there. */
export const isPending = (
  request: DeepReadonly<Request> | undefined,
  serialNumber: string,
): request is DeepReadonly<Request> => request?.serialNumber === serialNumber;

/** A request is met at once: one that is not met by then has something in its way. */
export const whenOverdue = ({ since }: DeepReadonly<Request>): Instant =>
  after(at(since), seconds(1));
