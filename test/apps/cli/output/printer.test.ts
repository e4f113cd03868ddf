/** The three shapes of `get`, once and while watching (talosctl-wire.md §4.3, §4.5). */
import { expect, test } from "vitest";
import { at } from "#runtime";
import { openPrinter, type Item } from "../../../../src/apps/cli/output/printer.ts";

const columns = {
  displayType: "CertificateStatus",
  printColumns: [
    { name: "State", jsonPath: "{.state}" },
    { name: "First Name", jsonPath: "{.dnsNames[0]}" },
  ],
};

const item = (id: string, yaml: string, event?: "created" | "updated" | "destroyed"): Item => {
  const metadata = {
    namespace: "secrets",
    type: "CertificateStatuses.secrets.talos.dev",
    id,
    version: "7",
    owner: "",
    phase: "running" as const,
    created: at("2030-01-01"),
    updated: at("2030-01-01"),
    labels: {},
    annotations: {},
    finalizers: [],
  };
  const heading = { node: "127.0.0.1", ...(event !== undefined && { event }) };
  return { heading, resource: { metadata, yamlSpec: yaml } };
};
const good = item("apid", "state: Valid\ndnsNames: [a]\n");
const nameless = item("etcd", "state: Expired\ndnsNames: []\n");

function printer(format: "table" | "yaml" | "json", watching = false, env = {}, isTTY = false) {
  let text = "";
  const stdout = { isTTY, write: (more: string) => (text += more) };
  const { print } = openPrinter(format, columns, { stdout, env }, watching);
  return {
    print,
    taken: () => {
      const all = text;
      text = "";
      return all;
    },
  };
}

test("a table: a row that a column does not fit is left out, and told", () => {
  const { print, taken } = printer("table");
  const failures = print([good, nameless]);
  expect(failures).toHaveLength(1);
  expect(String(failures[0])).toContain("array index out of bounds");
  expect(taken()).toBe(
    [
      "NODE        NAMESPACE   TYPE                ID     VERSION   STATE   FIRST NAME",
      "127.0.0.1   secrets     CertificateStatus   apid   7         Valid   a",
      "",
    ].join("\n"),
  );
});

test("an empty answer is a table without rows, and no document", () => {
  const table = printer("table");
  table.print([]);
  expect(table.taken()).toMatch(/^NODE .*FIRST NAME\n$/);
  const yaml = printer("yaml");
  yaml.print([]);
  expect(yaml.taken()).toBe("");
});

test("watching: marks, one header, and columns that stay where they were", () => {
  const { print, taken } = printer("table", true);
  print([item("apid", "state: RenewalDue\ndnsNames: [a]", "created")]);
  expect(taken()).toBe(
    [
      "NODE        *   NAMESPACE   TYPE                ID     VERSION   STATE        FIRST NAME",
      "127.0.0.1   +   secrets     CertificateStatus   apid   7         RenewalDue   a",
      "",
    ].join("\n"),
  );
  print([item("apid", "state: Valid\ndnsNames: [a]", "updated")]);
  expect(taken()).toBe(
    "127.0.0.1       secrets     CertificateStatus   apid   7         Valid        a\n",
  );
  print([item("apid", "state: Valid\ndnsNames: [a]", "destroyed")]);
  expect(taken()).toContain("127.0.0.1   -   secrets");
});

test("YAML documents are divided by markers, across calls too", () => {
  const { print, taken } = printer("yaml", true);
  print([item("a", "x: 1", "created"), item("b", "x: 2", "created")]);
  print([item("a", "x: 3", "updated")]);
  const documents = taken().split("---\n");
  expect(documents).toHaveLength(3);
  expect(documents[0]).toMatch(/^node: 127\.0\.0\.1\nevent: created\nmetadata:\n/);
  expect(documents[2]).toMatch(/^node: 127\.0\.0\.1\nevent: updated\n[^]*spec:\n {4}x: 3\n$/);
});

test("JSON objects follow each other", () => {
  const { print, taken } = printer("json");
  print([good, nameless]);
  const [first = "", second = ""] = taken().split(/(?<=^}\n)/m);
  expect(JSON.parse(first)).toMatchObject({ node: "127.0.0.1", spec: { state: "Valid" } });
  expect(JSON.parse(second)).toMatchObject({ metadata: { id: "etcd", version: 7, owner: null } });
});

test("states have a colour on a terminal, and nowhere else", () => {
  const painted = (env: Record<string, string>, isTTY = true) => {
    const { print, taken } = printer("table", false, env, isTTY);
    print([good]);
    return taken().split("\n")[1];
  };
  const bare = "127.0.0.1   secrets     CertificateStatus   apid   7         Valid   a";
  expect(painted({})).toBe(bare.replace("Valid", "\u001b[32mValid\u001b[0m"));
  expect(painted({ NO_COLOR: "1" })).toBe(bare);
  expect(painted({ TERM: "dumb" })).toBe(bare);
  expect(painted({}, false)).toBe(bare);
});
