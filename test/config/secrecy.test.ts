/** No error has a part of a key or token in it, whatever is wrong with the file. */
import { expect, test } from "vitest";
import {
  checkMachineConfig,
  loadBundle,
  loadMachineConfig,
  readBundle,
  readKubeconfig,
  readTalosconfig,
} from "#config";
import {
  base64,
  type Change,
  changed,
  controlplaneYaml,
  keys,
  now,
  secretsYaml,
  talosconfigYaml,
} from "./demo.ts";

const { certs, cluster, secrets, trustdInfo } = readBundle(secretsYaml).bundle;
const pems = [
  certs.os.key,
  certs.k8s.key,
  certs.etcd.key,
  certs.k8sAggregator.key,
  certs.k8sServiceAccount.key,
  readTalosconfig(talosconfigYaml).contexts.demo?.key ?? "",
];
/** Bodies of keys line by line, plain and encoded, and every token, each long enough to be told. */
const secretParts = [
  ...pems.flatMap((pem) =>
    pem.split("\n").filter((line) => !line.startsWith("-----") && line !== ""),
  ),
  ...pems.flatMap(
    (pem) =>
      base64(pem)
        .match(/.{1,40}/g)
        ?.slice(1, -1) ?? [],
  ),
  ...[secrets.bootstrapToken, trustdInfo.token].flatMap((token) => [token, token.slice(7)]),
  cluster.secret,
  secrets.secretboxEncryptionSecret ?? "none",
];

/** Ways to break a file at each line that holds a secret, which stays in it. */
function* broken(text: string): Iterable<string> {
  const lines = text.split("\n");
  const breaks: ((line: string) => string)[] = [
    (line) => `\t${line}`,
    (line) => line.replace(": ", ":"),
    (line) => line.replace(": ", ': "'),
    (line) => line.replace(": ", ": ["),
    (line) => line.replace(": ", ": {a: "),
    (line) => line.replace(": ", ": *"),
    (line) => line.replace(": ", ": !!int "),
    (line) => line.replace(": ", ": - "),
    (line) => line.replace(/: (\S+)$/, ": x$1"),
    (line) => line.replace(/: (\S+)$/, ": [$1]"),
    (line) => line.replace(/(\S+): (\S+)$/, "$2: $1"),
    (line) => line.replace(/(: \S{20})/, "$1 "),
    (line) => line.slice(0, -5),
    (line) => `${line}\n${line}`,
    () => "",
  ];
  for (const [index, line] of lines.entries())
    if (secretParts.some((part) => line.includes(part)))
      for (const change of breaks)
        yield [...lines.slice(0, index), change(line), ...lines.slice(index + 1)].join("\n");
}

async function said(call: () => unknown): Promise<string[]> {
  try {
    const result = (await call()) as { warnings?: string[] } | undefined;
    return result?.warnings ?? [];
  } catch (error) {
    const { message, cause } = error as Error;
    expect((error as { code?: string }).code, (error as Error).stack).toMatch(/^ERR_/);
    return [message, String(cause)];
  }
}

const expectNone = (texts: readonly string[]) => {
  for (const text of texts)
    for (const part of secretParts)
      if (text.includes(part)) expect.fail(text.replaceAll(part, "<SECRET>"));
};

const readers: readonly (readonly [name: string, file: string, read: (text: string) => unknown])[] =
  [
    ["bundle", secretsYaml, (text) => loadBundle(text, { keys, now })],
    [
      "machine configuration",
      controlplaneYaml,
      (text) => checkMachineConfig(loadMachineConfig(text), { keys, now, mode: "metal" }),
    ],
    ["talosconfig", talosconfigYaml, readTalosconfig],
    ["kubeconfig", talosconfigYaml, readKubeconfig],
  ];

test.each(readers)(
  "broken at any secret, a %s gives no secret away",
  async (_name, file, read) => {
    let errors = 0;
    for (const text of broken(file)) {
      const texts = await said(() => read(text));
      errors += texts.length;
      expectNone(texts);
    }
    expect(errors).toBeGreaterThan(10);
  },
  60_000,
);

test("secrets in the wrong fields are not given away", async () => {
  const token = trustdInfo.token;
  const key = base64(certs.os.key);
  const changes: Change[] = [
    ["machine.ca.crt", key],
    ["machine.ca.crt", certs.os.key],
    ["machine.acceptedCAs", [{ crt: key }, { crt: token }]],
    ["machine.token", key],
    ["cluster.token", certs.os.key],
    ["cluster.serviceAccount.key", token],
    ["cluster.etcd.ca", { crt: token, key: token }],
    ["machine.features.kubernetesTalosAPIAccess", { enabled: key }],
    ["cluster.controlPlane.endpoint", `https://me:${token}@10.0.0.1`],
    ["cluster.controlPlane.localAPIServerPort", token],
    ["machine.time", { disabled: token }],
  ];
  for (const change of changes) {
    const text = changed(controlplaneYaml, change);
    const texts = await said(() =>
      checkMachineConfig(loadMachineConfig(text), { keys, now, mode: "metal" }),
    );
    expect(texts, change[0]).not.toEqual([]);
    expectNone(texts);
  }
});
