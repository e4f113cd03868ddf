/** Loaded before anything else: replaces the text of one mutant in one module while it is loaded. */
import { registerHooks } from "node:module";
import { mutants } from "./mutants.ts";

const planted = mutants.find(({ name }) => name === process.env.MUTANT);
const url = planted && new URL(`../../src/${planted.file}`, import.meta.url).href;

if (planted)
  registerHooks({
    load(address, context, nextLoad) {
      const loaded = nextLoad(address, context);
      if (address !== url) return loaded;
      const source = Buffer.from(loaded.source as Uint8Array).toString("utf8");
      return { ...loaded, source: source.replace(planted.before, () => planted.after) };
    },
  });
