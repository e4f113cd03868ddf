/** Exit statuses, as `--help` lists them. */
export const OK = 0;
export const FAILURE = 1;
export const WRONG_USAGE = 2;
/** What was asked about is refused: by `policy why`. */
export const REFUSED = 3;
/** After a second signal, as shells report an end by SIGINT. */
export const INTERRUPTED = 130;
