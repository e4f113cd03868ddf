/** The shapes of `get -o yaml` and `-o json` (cosi.md §1.4, talosctl-wire.md §4.4). */
import { expect, test } from "vitest";
import { at } from "#runtime";
import type { RemoteMetadata } from "../../../../src/apps/client/index.ts";
import {
  columnCells,
  resourceJson,
  resourceYaml,
} from "../../../../src/apps/cli/output/resource.ts";

const metadata: RemoteMetadata = {
  namespace: "pki",
  type: "CertificateStatuses.pki.example.dev",
  id: "api-server",
  version: "3",
  owner: "pki.RenewController",
  phase: "running",
  created: at("2026-11-20T10:00:00Z"),
  updated: at("2026-11-20T10:00:05.9Z"),
  labels: { role: "server", app: "a" },
  annotations: {},
  finalizers: ["pki.RenewController", '"quoted'],
};

const yamlSpec = `# kept
subject: CN=node-1
notAfter: "2026-11-21T10:00:00Z"
dnsNames:
    - node-1
    - localhost
sizes: {b: 0x1F, a: [1, ~]}
none: []
empty: ""
items:
  - name: x
    left: 3
ready: true
text: |
  two
  lines
`;

test("YAML: metadata in its order, four spaces, styles of the spec kept", () => {
  expect(resourceYaml({ node: "127.0.0.1" }, { metadata, yamlSpec })).toBe(`node: 127.0.0.1
metadata:
    namespace: pki
    type: CertificateStatuses.pki.example.dev
    id: api-server
    version: 3
    owner: pki.RenewController
    phase: running
    created: 2026-11-20T10:00:00Z
    updated: 2026-11-20T10:00:05Z
    labels:
        app: a
        role: server
    finalizers:
        - pki.RenewController
        - '"quoted'
spec:
    # kept
    subject: CN=node-1
    notAfter: "2026-11-21T10:00:00Z"
    dnsNames:
        - node-1
        - localhost
    sizes: {b: 0x1F, a: [1, ~]}
    none: []
    empty: ""
    items:
        - name: x
          left: 3
    ready: true
    text: |
        two
        lines
`);
});

test("YAML: scalars of the metadata stand bare, whatever they look like; no owner is nothing", () => {
  const bare = { ...metadata, id: "0123", owner: "", version: "undefined", labels: { b: "a\nb" } };
  const text = resourceYaml({ node: "n", event: "destroyed" }, { metadata: bare, yamlSpec: "{}" });
  expect(text).toContain("node: n\nevent: destroyed\nmetadata:\n");
  expect(text).toContain("    id: 0123\n    version: undefined\n    owner:\n    phase: running\n");
  expect(text).toContain("        b: |-\n            a\n            b\n");
  expect(text.endsWith("spec: {}\n")).toBe(true);
});

test("YAML: a spec that is a text is a literal block, as a machine configuration is", () => {
  const text = resourceYaml({ node: "n" }, { metadata, yamlSpec: '"a: 1\\nb: 2\\n"\n' });
  expect(text.slice(text.indexOf("spec"))).toBe('spec: "a: 1\\nb: 2\\n"\n');
  const literal = resourceYaml({ node: "n" }, { metadata, yamlSpec: "|\n  a: 1\n  b: 2\n" });
  expect(literal.slice(literal.indexOf("spec"))).toBe("spec: |\n    a: 1\n    b: 2\n");
});

test("JSON: keys sorted, four spaces, a number for the version, null for no owner", () => {
  const bare = { ...metadata, id: "0123", owner: "", finalizers: [] };
  const text = resourceJson({ node: "n" }, { metadata: bare, yamlSpec: "b: 0x1F\na: [x]\n" });
  expect(text).toBe(`{
    "metadata": {
        "created": "2026-11-20T10:00:00Z",
        "id": "0123",
        "labels": {
            "app": "a",
            "role": "server"
        },
        "namespace": "pki",
        "owner": null,
        "phase": "running",
        "type": "CertificateStatuses.pki.example.dev",
        "updated": "2026-11-20T10:00:05Z",
        "version": 3
    },
    "node": "n",
    "spec": {
        "a": [
            "x"
        ],
        "b": 31
    }
}
`);
});

test("columns are read from the spec", () => {
  expect(columnCells({ metadata, yamlSpec }, ["{.subject}", "{.dnsNames[:]}", "{.gone}"])).toEqual([
    "CN=node-1",
    "node-1 localhost",
    "",
  ]);
});

test("a spec that is empty or broken is an error that names the resource", () => {
  const name = "CertificateStatuses.pki.example.dev(pki/api-server)";
  expect(() => resourceYaml({ node: "n" }, { metadata, yamlSpec: "" })).toThrow(
    `the spec of ${name} cannot be read: YAML spec is not specified`,
  );
  expect(() => resourceYaml({ node: "n" }, { metadata, yamlSpec: "a: [" })).toThrow(name);
  expect(() => resourceJson({ node: "n" }, { metadata, yamlSpec: "a: [" })).toThrow(name);
});
