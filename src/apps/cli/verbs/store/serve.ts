/** `store serve`: a store over gRPC until it is told to stop. */
import { resolve } from "node:path";
import type { Io } from "../../io.ts";

/** The flags of `store serve`. */
export interface ServeOptions {
  readonly store: string;
  readonly listen: string;
}

/** On its own: beside an `await using`, tsc does not turn the names of files into those of what is built. */
const load = () =>
  Promise.all([
    import("../../../store/index.ts"),
    import("../../../node/log.ts"),
    import("../../errors.ts"),
  ]);

/** Serves a store in the foreground. */
export async function serve(io: Io, options: ServeOptions): Promise<number> {
  const signal = io.interruption();
  const [{ readAddress, readLocation, startStoreServer }, { nodeLogger }, { wrongUsage }] =
    await load();
  const { address, location } = wrongUsage(() => ({
    address: readAddress(options.listen),
    location: readLocation(options.store),
  }));
  const log = nodeLogger(
    {
      stdout: (text) => void io.stdout.write(text),
      stderr: (text) => void io.stderr.write(text),
      stderrIsTerminal: io.stderr.isTTY ?? false,
      signal,
    },
    io.env.TRUSTPLANE_LOG_LEVEL,
  );
  await using server = await startStoreServer({
    address: "path" in address ? { path: resolve(io.cwd, address.path) } : address,
    location:
      location.kind === "sqlite" ? { ...location, file: resolve(io.cwd, location.file) } : location,
    log,
  });
  if (!("path" in address))
    io.stderr.write(
      "warning: every local user can connect to the loopback interface, read and write; " +
        "unix:PATH is for you alone\n",
    );
  io.stdout.write(`serving ${options.store} on ${server.address}\n`);
  await stopped(signal);
  return 0;
}

const stopped = (signal: AbortSignal): Promise<void> =>
  new Promise((settle) => {
    if (signal.aborted) settle();
    signal.addEventListener("abort", () => settle(), { once: true });
  });
