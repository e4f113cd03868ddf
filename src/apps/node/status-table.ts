/** The certificate status table, as `trustplane get certificatestatus` prints it. */
import { CertificateStatus } from "#resources";
import type { Store } from "#runtime/store";
import { formatTable } from "../cli/output/table.ts";

/** The table as one text; `node` is what stands in its first column. */
export async function statusTable(store: Store, node: string): Promise<string> {
  const statuses = await store.list(CertificateStatus);
  const columns = CertificateStatus.printColumns.map(({ name }) => name.toUpperCase());
  return formatTable([
    ["NODE", "NAMESPACE", "TYPE", "ID", "VERSION", ...columns],
    ...statuses.map(({ metadata, spec }) => [
      node,
      metadata.namespace,
      "CertificateStatus",
      metadata.id,
      String(metadata.version),
      spec.subject,
      spec.notAfter,
      spec.renewAt,
      spec.state,
    ]),
  ]);
}
