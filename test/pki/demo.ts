/** The bundle that talosctl 1.13.5 made, as PEM. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { KeyedPem } from "#pki";

interface Bundle {
  readonly certs: Readonly<Record<string, { readonly crt: string; readonly key: string }>>;
}

const file = new URL("../fixtures/talos-demo/secrets.yaml", import.meta.url);
const { certs } = parse(readFileSync(file, "utf8")) as Bundle;
const text = (base64: string | undefined) => Buffer.from(base64 ?? "", "base64").toString("utf8");
const pair = (name: string): KeyedPem => ({
  crt: text(certs[name]?.crt),
  key: text(certs[name]?.key),
});

export const demoRoots = {
  os: pair("os"),
  kubernetes: pair("k8s"),
  etcd: pair("etcd"),
  aggregator: pair("k8saggregator"),
};

export const demoServiceAccountKey: string = pair("k8sserviceaccount").key;
