/** The endpoint of a cluster: what is one, and what is said of what is none. */
import { expect, test } from "vitest";
import { checkClusterChoices, EndpointError } from "#config";

const check = (endpoint: string) => () => {
  checkClusterChoices({ clusterName: "demo", endpoint });
};

test.each([
  "https://192.0.2.10:6443",
  "https://[2001:db8::1]:6443",
  "https://api.example.test",
  "https://api.example.test.:443/",
  "HTTPS://api",
])("%s is an endpoint", (text) => {
  expect(check(text)).not.toThrow();
});

test.each([
  ["https://a_b..c:6443", '"a_b..c" is neither a DNS name nor an address'],
  ["https://1.2.3:6443", '"1.2.3" is neither'],
  ["https://[fe80::1%25eth0]:6443", "is neither"],
  ["https://[192.0.2.1]:6443", "is neither"],
  ["https://bücher.example", "is neither"],
  ["https://a b", "is neither"],
  ["https://a:0", '"0" is not a port'],
  ["https://a:65536", '"65536" is not a port'],
  ["https://a:", '"" is not a port'],
  ["https://me:pw@a", "it names a user"],
  ["https://", "it has no host; try https://HOST:6443"],
  ["https:/a", "it is not a URL"],
  ["http://a", "its scheme is not https; try https://a:6443"],
  ["a:6443", "the scheme is missing; try https://a:6443"],
  ["a", "it is not a URL; try https://a:6443"],
  ["", "it is not a URL; try https://HOST:6443"],
])("%j is none: %s", (text, problem) => {
  expect(check(text)).toThrow(EndpointError);
  expect(check(text)).toThrow(problem);
  expect(check(text)).not.toThrow("pw");
});
