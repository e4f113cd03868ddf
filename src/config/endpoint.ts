/** The endpoint of a cluster: the URL by which its Kubernetes API is reached. */

/** Tells why a text cannot be the endpoint of a cluster. */
export function endpointProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return "it is not a URL";
  const { protocol, hostname, username } = new URL(text);
  if (protocol !== "https:") return "its scheme is not https";
  if (username !== "") return "it names a user";
  return hostname === "" ? "it has no host" : undefined;
}
