/** `npm run test:long [-- --ci] [-- --only NAME]`: what takes minutes, each case once. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { burst } from "./burst.ts";
import { type LongCase, SkipError } from "./case.ts";
import { connections } from "./connections.ts";
import { csrFuzz } from "./csr-fuzz.ts";
import { diskFull } from "./disk-full.ts";
import { etcdServer } from "./etcd-server.ts";
import { fuzz } from "./fuzz.ts";
import { join as joining } from "./join.ts";
import { killNine } from "./kill-nine.ts";
import { killStore } from "./kill-store.ts";
import { opensslServers } from "./openssl-servers.ts";
import { packaged } from "./package.ts";
import { shiftedClock } from "./shifted-clock.ts";
import { simulation } from "./simulation.ts";
import { starts } from "./starts.ts";
import { suspended } from "./suspended.ts";

const cases: readonly LongCase[] = [
  fuzz,
  starts,
  csrFuzz,
  opensslServers,
  etcdServer,
  diskFull,
  killNine,
  killStore,
  burst,
  connections,
  joining,
  suspended,
  shiftedClock,
  simulation,
  packaged,
];

/** They wait for certificates to end, and do so side by side when all others are done. */
const WAITING: ReadonlySet<LongCase> = new Set([suspended, shiftedClock]);

const ci = process.argv.includes("--ci");
const only = process.argv[process.argv.indexOf("--only") + 1];
const chosen = process.argv.includes("--only") ? cases.filter(({ name }) => name === only) : cases;
if (chosen.length === 0) {
  console.error(`no such case; there are ${cases.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const count = { passed: 0, failed: 0, skipped: 0 };
for (const one of chosen.filter((each) => !WAITING.has(each))) await tryOut(one);
await Promise.all(chosen.filter((each) => WAITING.has(each)).map(tryOut));
const { passed, failed, skipped } = count;
console.log(`${String(passed)} passed, ${String(failed)} failed, ${String(skipped)} skipped`);
process.exitCode = failed === 0 ? 0 : 1;

async function tryOut(one: LongCase): Promise<void> {
  const { name } = one;
  const scratch = await mkdtemp(join(tmpdir(), `trustplane-${name}-`));
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  try {
    const tried = await one.run({ ci, scratch });
    count.passed++;
    console.log(`ok       ${name}: ${tried} (${seconds()})`);
  } catch (error) {
    if (error instanceof SkipError) {
      count.skipped++;
      console.log(`skipped  ${name}: ${error.message}`);
    } else {
      count.failed++;
      console.log(`FAILED   ${name} (${seconds()})`);
      console.log(error); // with its causes
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
