/** Key material as it stands in specs: PEM texts. */
import { z } from "zod";

/** A certificate with its private key. */
export const keyedPem = z.object({ crt: z.string(), key: z.string() });
/** A certificate alone. */
export const certificatePem = z.object({ crt: z.string() });
/** A private or public key alone. */
export const keyPem = z.object({ key: z.string() });
