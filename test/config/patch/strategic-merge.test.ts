import { expect, test } from "vitest";
import { applyConfigPatches, readConfigPatch } from "#config";

const patched = (config: string, ...patches: string[]) =>
  applyConfigPatches(
    config,
    patches.map((text) => readConfigPatch(text)),
  );

const CONFIG = `version: v1alpha1 # a comment
machine:
    type: controlplane
    token: "0123"
    acceptedCAs:
        - crt: b25l
    certSANs: [a.example]
    sysctls: {net.core.somaxconn: "1", vm.swappiness: "2"}
    files:
        - {path: /etc/x, permissions: 0644, content: "a\\nb\\n"}
cluster:
    network:
        podSubnets: [10.1.0.0/16]
---
apiVersion: v1alpha1
kind: HostnameConfig
auto: stable
`;

test("scalars are replaced, mappings merged, lists appended to", () => {
  const result = patched(
    CONFIG,
    `machine:
  token: new
  acceptedCAs: [{crt: dHdv}]
  certSANs: [b.example, a.example]
  sysctls: {vm.swappiness: "3", kernel.panic: "4"}
  features: {rbac: false}`,
  );
  expect(result).toBe(`version: v1alpha1
machine:
    type: controlplane
    token: new
    acceptedCAs:
        - crt: b25l
        - crt: dHdv
    certSANs:
        - a.example
        - b.example
        - a.example
    sysctls:
        net.core.somaxconn: "1"
        vm.swappiness: "3"
        kernel.panic: "4"
    files:
        - path: /etc/x
          permissions: 0644
          content: |
            a
            b
    features:
        rbac: false
cluster:
    network:
        podSubnets:
            - 10.1.0.0/16
---
apiVersion: v1alpha1
kind: HostnameConfig
auto: stable
`);
});

test("the subnets of pods and services are replaced, as Talos has it", () => {
  const result = patched(
    CONFIG,
    "cluster: {network: {podSubnets: [10.2.0.0/16], serviceSubnets: [10.3.0.0/16]}}",
  );
  expect(result).toContain("podSubnets:\n            - 10.2.0.0/16\n        serviceSubnets:");
  expect(result).not.toContain("10.1.0.0");
});

test("an interface is merged into the one of its name, and so are its VLANs", () => {
  const network = (items: string) =>
    `version: v1alpha1\nmachine: {network: {interfaces: ${items}}}`;
  expect(
    patched(
      network("[{interface: eth0, vlans: [{vlanId: 5, mtu: 1}]}]"),
      network("[{interface: eth0, dhcp: true, vlans: [{vlanId: 5, mtu: 2}, {vlanId: 6}]}]"),
      network("[{interface: eth1}]"),
    ),
  ).toBe(`version: v1alpha1
machine:
    network:
        interfaces:
            - interface: eth0
              vlans:
                - vlanId: 5
                  mtu: 2
                - vlanId: 6
              dhcp: true
            - interface: eth1
`);
});

test("what is empty in a patch changes nothing, as in Go, but false does", () => {
  const config =
    "version: v1alpha1\nmachine:\n    token: a\n    kubelet:\n        x: true\n        z: 7\n";
  expect(patched(config, 'machine: {token: "", kubelet: {x: null, z: 0}}')).toBe(config);
  expect(patched(config, "machine: {kubelet: {x: false}}")).toContain("x: false");
});

test("documents are matched by kind and name; what matches none is added", () => {
  const result = patched(
    CONFIG,
    `apiVersion: v1alpha1
kind: HostnameConfig
hostname: one
---
apiVersion: v1alpha1
kind: TrustedRootsConfig
name: b
certificates: x
---
machine: {type: worker}`,
    "{apiVersion: v1alpha1, kind: TrustedRootsConfig, name: a, certificates: w}",
  );
  expect(result).toContain("type: worker");
  expect(result).toContain("auto: stable\nhostname: one\n---\n");
  expect(result.match(/kind: TrustedRootsConfig\nname: [ab]\ncertificates: [xw]\n/g)).toHaveLength(
    2,
  );
});

test("$patch: delete takes away a field, an item of a list, a document", () => {
  const result = patched(
    CONFIG,
    `machine:
  certSANs: {$patch: delete}
  acceptedCAs:
    - {crt: b25l, $patch: delete}
    - {crt: dHdv}
  sysctls: {vm.swappiness: {$patch: delete}}
---
apiVersion: v1alpha1
kind: HostnameConfig
$patch: delete`,
  );
  expect(result).not.toMatch(/certSANs|b25l|swappiness|HostnameConfig|\$patch|---/);
  expect(result).toContain("acceptedCAs:\n        - crt: dHdv\n");
  expect(result).toContain("somaxconn");
});

test.each([
  ["machine: {network: {hostname: {$patch: delete}}}", /machine\.network\.hostname.*lookup failed/],
  [
    "machine: {acceptedCAs: [{crt: bm9uZQ==, $patch: delete}]}",
    /acceptedCAs\.\[0\].*lookup failed/,
  ],
  ["{apiVersion: v1alpha1, kind: TimeSyncConfig, $patch: delete}", /no document TimeSyncConfig/],
  ["version: v1alpha1\n$patch: delete", /can't delete the root of the legacy document/],
  ["machine: {acceptedCAs: [{$patch: delete}]}", /beside a field of the item/],
  ["machine: {files: [{content: {$patch: delete}}]}", /cannot delete an inner key/],
  ["machine: {sysctls: [a]}", /machine\.sysctls: the configuration has a mapping here/],
])("%s is refused", (patch, message) => {
  expect(() => patched(CONFIG, patch)).toThrow(message);
});

test.each([
  ["machine: {tokn: x}", "ERR_CONFIG_PARSE", "the patch:1:11: machine.tokn: unknown key"],
  ["{apiVersion: v1alpha1, kind: HostnamConfig}", "ERR_CONFIG_UNKNOWN_DOCUMENT", "HostnameConfig?"],
  ["machine: {certSANs: {a: b}}", "ERR_CONFIG_PARSE", "machine.certSANs: is not a list"],
  ["just a text", "ERR_CONFIG_PARSE", "a document of a configuration is a mapping"],
  ["machine: [", "ERR_CONFIG_PARSE", "the patch:1:10: the bracket [ that opens here is not closed"],
  ["# nothing", "ERR_CONFIG_PATCH", "is empty"],
])("a patch is read as strictly as a configuration: %s", (patch, code, message) => {
  expect(() => readConfigPatch(patch)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) as string }) as Error,
  );
});

test("a key may be called like what every object has", () => {
  expect(patched(CONFIG, "machine: {sysctls: {constructor: a, __proto__: b}}")).toMatch(
    /constructor: a\n +__proto__: b/,
  );
});
