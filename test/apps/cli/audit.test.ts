import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { at, manualClock, silentLogger } from "#runtime";
import { auditDirectory, openAuditLog } from "../../../src/apps/audit/index.ts";
import { bench } from "./harness.ts";

const now = at("2030-01-01");

async function recorded() {
  const here = await bench(now);
  const directory = auditDirectory(join(here.cwd, ".trustplane"));
  await using audit = await openAuditLog({ directory, clock: manualClock(now), log: silentLogger });
  for (const resource of ["/proc/version", "/etc/passwd"])
    await audit.record({
      time: "2030-01-01T00:00:00.000Z",
      peer: "127.0.0.1:4000",
      fingerprint: "ab".repeat(32),
      subject: "O = os:admin",
      roles: ["os:admin"],
      method: "/machine.MachineService/Read",
      nodes: ["127.0.0.2"],
      resource,
      outcome: resource === "/etc/passwd" ? "NOT_FOUND" : "OK",
      reason: resource === "/etc/passwd" ? "no such file" : "",
    });
  return { here, path: join(directory, "audit.log") };
}

test("audit verify says how far the log goes, and its head can be held against it later", async () => {
  const { here } = await recorded();
  await using _ = here;
  const { status, stdout } = await here.run("audit", "verify");
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^\/.*\/\.trustplane\/audit: 2 lines in 1 file, nothing changed\nhead 2:[0-9a-f]{64}\n$/,
  );
  const head = /head (\S+)/.exec(stdout)?.[1] ?? "";
  expect(await here.run("audit", "verify", "--expect", head)).toMatchObject({ status: 0 });
  const missing = await here.run("audit", "verify", "--expect", head.replace(/^2:/, "3:"));
  expect(missing.status).toBe(1);
  expect(missing.stderr).toMatch(/line 3 with the hash [0-9a-f]+ is not in the log/);
});

test("audit verify names the line that was changed", async () => {
  const { here, path } = await recorded();
  await using _ = here;
  await writeFile(path, (await readFile(path, "utf8")).replace("/etc/passwd", "/etc/hosts"));
  const { status, stderr } = await here.run("audit", "verify");
  expect(status).toBe(1);
  expect(stderr).toMatch(/audit\.log:2: the line was changed, or is not whole/);
});

test("audit tail prints the last lines, as a table or as they are", async () => {
  const { here } = await recorded();
  await using _ = here;
  const { stdout } = await here.run("audit", "tail");
  expect(stdout).toMatch(/^TIME +PEER +SUBJECT +METHOD +NODES +RESOURCE +OUTCOME\n/);
  expect(stdout).toMatch(
    / MachineService\/Read +127\.0\.0\.2 +\/etc\/passwd +NOT_FOUND: no such file\n$/,
  );
  const last = await here.run("audit", "tail", "-n", "1", "-o", "json");
  expect(JSON.parse(last.stdout)).toMatchObject({ seq: 2, resource: "/etc/passwd" });
});

test("a directory without an audit log is named", async () => {
  await using here = await bench(now);
  const { status, stderr } = await here.run("audit", "verify", "--state-dir", "elsewhere");
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /no audit log below \/.*\/elsewhere; name the state directory of the node with --state-dir/,
  );
  expect((await here.run("audit", "verify", "--expect", "nonsense")).status).toBe(2);
});
