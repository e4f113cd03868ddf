/** The endpoint of a cluster: the URL by which its Kubernetes API is reached. */
import { addressOctets, isDnsName } from "#pki";

/** The parts are taken from the text: `URL` mends what others who read the same text refuse. */
const form =
  /^(?<scheme>[a-z][a-z\d+.-]*):\/\/(?:(?<user>[^/?#@]*)@)?(?:\[(?<v6>[^\]]*)\]|(?<name>[^/?#:[\]]*))(?::(?<port>\d*))?(?:[/?#]\S*)?$/i;

/** Tells why a text cannot be the endpoint of a cluster. */
export function endpointProblem(text: string): string | undefined {
  const { scheme, user, v6, name = "", port } = form.exec(text)?.groups ?? {};
  if (scheme === undefined)
    return /^[a-z\d.-]+:\d+$/i.test(text) ? "the scheme is missing" : "it is not a URL";
  if (scheme.toLowerCase() !== "https") return "its scheme is not https";
  if (user !== undefined) return "it names a user";
  if (v6 === undefined && name === "") return "it has no host";
  const isHost =
    v6 === undefined
      ? addressOctets(name) !== undefined || isDnsName(name.replace(/\.$/, ""))
      : v6.includes(":") && addressOctets(v6) !== undefined;
  if (!isHost) return `${JSON.stringify(v6 ?? name)} is neither a DNS name nor an address`;
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535))
    return `${JSON.stringify(port)} is not a port`;
  return URL.canParse(text) ? undefined : "it is not a URL";
}
