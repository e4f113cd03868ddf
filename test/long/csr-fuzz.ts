/** Spoilt certificate requests, put to what signs for nodes; `npm run fuzz:csr` does more of them. */
import { fuzzCsrs } from "../fuzz/csr.ts";
import { type LongCase } from "./case.ts";

export const csrFuzz: LongCase = {
  name: "csr-fuzz",
  async run({ ci }) {
    const seed = Number(process.env.TRUSTPLANE_SEED ?? 7);
    const count = ci ? 25_000 : 100_000;
    const { judged, grown } = await fuzzCsrs({ seed, count });
    const heap = (grown / 1e6).toFixed(1);
    return `${String(count)} requests, seed ${String(seed)}, ${String(judged)} certificates judged, none forbidden, heap grown by ${heap} MB`;
  },
};
