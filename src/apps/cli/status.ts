/** Exit statuses, as `--help` lists them. */
export const OK = 0;
export const FAILURE = 1;
export const WRONG_USAGE = 2;
/** After a second signal, as shells report an end by SIGINT. */
export const INTERRUPTED = 130;
