import { expect, test } from "vitest";
import { follows, serving, type Served } from "../../../src/apps/node/serving.ts";
import { issueRoot, issueServer } from "../apid/running-node.ts";

const [old, fresh] = [await issueRoot(), await issueRoot()];
const served = async (issuer: typeof old, ...accepted: (typeof old)[]): Promise<Served> => ({
  server: await issueServer(issuer),
  client: null,
  acceptedCAs: accepted.map(({ crt }) => ({ crt })),
  skipVerifyingClientCert: false,
});
const wanted = {
  issuingCA: fresh,
  acceptedCAs: [{ crt: old.crt }, { crt: fresh.crt }],
  token: "",
  certSANs: [],
};

test("a listener follows a configuration by its identity and by all that it trusts", async () => {
  expect(follows(await served(fresh, fresh, old), wanted)).toBe(true);
  expect(follows(await served(old, fresh, old), wanted)).toBe(false);
  expect(follows(await served(fresh, fresh), wanted)).toBe(false);
  expect(follows(await served(fresh, fresh, old, await issueRoot()), wanted)).toBe(false);
});

test("who waits goes on when the listener has taken it up, not before, or when told to", async () => {
  const current = serving();
  const order: string[] = [];
  const follow = (each: Served) => follows(each, wanted);
  const waits = current
    .until(follow, new AbortController().signal)
    .then(() => order.push("served"));
  current.set(await served(old, old));
  current.set(await served(fresh, fresh));
  await Promise.resolve();
  order.push("not yet");
  current.set(await served(fresh, fresh, old));
  await waits;
  expect(order).toEqual(["not yet", "served"]);
  const late = new AbortController();
  const given = current.until(() => false, late.signal);
  late.abort();
  await given;
});
