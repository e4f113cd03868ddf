/** An instant that a node sent, as RFC 3339 in whole seconds; empty when it sent none. */
export const timeText = (time: Date | undefined): string =>
  time === undefined || Number.isNaN(time.getTime())
    ? ""
    : time.toISOString().replace(/\.\d+Z$/, "Z");
