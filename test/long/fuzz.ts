/** Mutated certificates, requests, configurations and bundles: a coded error or a value, never a crash. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadMachineConfig, readBundle, readTalosconfig } from "#config";
import { parseCertificate, readPem } from "#pki";
import { CodedError } from "#runtime";
import { type LongCase, seeded } from "./case.ts";

const fixture = (name: string) =>
  readFileSync(join(import.meta.dirname, "../fixtures/talos-demo", name), "utf8");

export const fuzz: LongCase = {
  name: "fuzz",
  run({ ci }) {
    const seed = Number(process.env.TRUSTPLANE_SEED ?? 7);
    const random = seeded(seed);
    const counts = { certificates: ci ? 50_000 : 1_000_000, texts: ci ? 600 : 10_000 };
    const certificates = demoCertificates();
    for (let i = 0; i < counts.certificates; i++) {
      const original = certificates[i % certificates.length] ?? new Uint8Array();
      survives(`certificate, seed ${String(seed)}, round ${String(i)}`, () =>
        parseCertificate(mutateBytes(original, random)),
      );
    }
    const readers = [
      ["controlplane.yaml", loadMachineConfig],
      ["secrets.yaml", readBundle],
      ["talosconfig", readTalosconfig],
    ] as const;
    for (const [name, read] of readers) {
      const text = fixture(name);
      for (let i = 0; i < counts.texts; i++) {
        survives(`${name}, seed ${String(seed)}, round ${String(i)}`, () =>
          read(mutateText(text, random), name),
        );
      }
    }
    const total = counts.certificates + counts.texts * readers.length;
    return Promise.resolve(`${String(total)} mutations, seed ${String(seed)}`);
  },
};

function demoCertificates(): Uint8Array[] {
  const blocks = [...fixture("secrets.yaml").matchAll(/crt: (\S+)/g)].map(([, base64 = ""]) =>
    Buffer.from(base64, "base64").toString("utf8"),
  );
  return blocks.flatMap((pem) => readPem(pem).map(({ der }) => der));
}

function survives(what: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof CodedError))
      throw new Error(`${what}: an uncoded error`, { cause: error });
  }
}

function mutateBytes(original: Uint8Array, random: () => number): Uint8Array {
  const bytes = Uint8Array.from(original);
  const at = () => Math.floor(random() * bytes.length);
  for (let edits = 1 + Math.floor(random() * 4); edits > 0; edits--) {
    bytes[at()] = Math.floor(random() * 256);
  }
  return random() < 0.2 ? bytes.slice(0, at()) : bytes;
}

const SPLICES = [
  "",
  " ",
  "\n",
  "---\n",
  "{",
  "[",
  "&a ",
  "*a",
  "!!js/function ",
  "'",
  '"',
  ": ",
  "- ",
];

function mutateText(original: string, random: () => number): string {
  let text = original;
  for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits--) {
    const from = Math.floor(random() * text.length);
    const to = from + Math.floor(random() * 12);
    const splice = SPLICES[Math.floor(random() * SPLICES.length)] ?? "";
    text = text.slice(0, from) + splice + text.slice(to);
  }
  return text;
}
