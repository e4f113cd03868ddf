/** The audit log of a node: who did what, and that nobody changed it since. */
export { openAuditLog } from "./audit-log.ts";
export type { AuditLog, AuditLogOptions } from "./audit-log.ts";
export { auditDirectory, auditFiles, CURRENT } from "./files.ts";
export { bounded } from "./limits.ts";
export { GENESIS } from "./line.ts";
export type { AuditEntry, AuditLine, Head } from "./line.ts";
export { auditLines, verifyAudit } from "./verify.ts";
export type { AuditVerdict, Placed } from "./verify.ts";
