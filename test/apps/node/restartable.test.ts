/** apid that is closed and opened again while the node goes on. */
import { expect, test } from "vitest";
import { systemClock } from "#runtime";
import { openMemoryStore } from "#runtime/store";
import { startApid, type ListenerMaterial } from "../../../src/apps/apid/index.ts";
import { connect } from "../../../src/apps/client/index.ts";
import { restartableApid } from "../../../src/apps/node/restartable.ts";
import { issueClient, issueRoot, issueServer, recordingLogger } from "../apid/running-node.ts";

const gate = <T = void>() => Promise.withResolvers<T>();

/** One that is opened again when `proceed` says so. */
async function restartable() {
  const [root, nextRoot] = [await issueRoot(), await issueRoot()];
  const { key, crt: cert } = await issueServer(root);
  const material: ListenerMaterial = { key, cert, ca: [root.crt] };
  const store = openMemoryStore();
  const { log } = recordingLogger();
  const open = (held: ListenerMaterial, port: number) =>
    startApid({
      ...{ address: "127.0.0.1", port, material: held, store, kinds: [], clock: systemClock, log },
      ports: {
        build: { sha: "", built: "" },
        applyConfiguration: async () => ({ warnings: [], modeDetails: "" }),
        issueClientConfiguration: async () => ({ ca: "", crt: "", key: "", talosconfig: "" }),
      },
    });
  const [closed, proceed, opened, running] = [gate(), gate(), gate(), gate()];
  let restart = async () => "";
  const services: Parameters<typeof restartableApid>[2]["services"] = {
    set(_, state) {
      if (state === "Starting") closed.resolve();
      if (state === "Running" && isReopened) running.resolve();
    },
    onRestart: (_, again) => (restart = again),
  };
  let isReopened = false;
  const apid = restartableApid(
    { apid: await open(material, 0), material },
    async (held, port) => {
      const again = await open(held, port);
      isReopened = true;
      opened.resolve();
      await proceed.promise;
      return again;
    },
    { services, clock: systemClock, log },
  );
  const version = async (authority: typeof root) => {
    await using client = connect({
      ...{ endpoints: ["127.0.0.1"], port: apid.port, ca: root.crt, source: "the test" },
      ...(await issueClient(authority)),
      clock: systemClock,
    });
    return await client.version();
  };
  return {
    ...{ apid, material, root, nextRoot, version, proceed, store },
    closed: closed.promise,
    opened: opened.promise,
    running: running.promise,
    restart: () => restart(),
  };
}

test.each(["closed", "opened"] as const)(
  "authorities that change when it is %s are those of the one that is opened",
  async (moment) => {
    const t = await restartable();
    await using _ = t.apid;
    await t.restart();
    await t[moment];
    t.apid.rotate({ ...t.material, ca: [t.nextRoot.crt] });
    t.proceed.resolve();
    await t.running;
    await expect(t.version(t.nextRoot)).resolves.toBeDefined();
    await expect(t.version(t.root)).rejects.toMatchObject({
      code: "ERR_CLIENT_CERTIFICATE_REJECTED",
    });
    await t.store.close();
  },
);

test("what does not fit together is refused meanwhile, too", async () => {
  const t = await restartable();
  await using _ = t.apid;
  await t.restart();
  await t.opened;
  expect(() => t.apid.rotate({ ...t.material, ca: ["no certificate"] })).toThrow();
  t.proceed.resolve();
  await t.running;
  await expect(t.version(t.root)).resolves.toBeDefined();
  await t.store.close();
});
