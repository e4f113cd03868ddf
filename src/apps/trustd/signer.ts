/** What signs for nodes, whatever their calls travel by: gRPC, or the network of a simulation. */
import type { Certificate } from "#pki";
import type {
  JoinRequest,
  JoinResponse,
  RenewNodeRequest,
  RenewNodeResponse,
} from "../rpc/gen/node/node.ts";
import type { CertificateRequest, CertificateResponse } from "../rpc/gen/security/security.ts";

/** Who asks with a token; `token` is undefined when there was none. */
export interface TokenAsker {
  /** Address and port. */
  readonly peer: string;
  readonly token: string | undefined;
}

/** Who asks with a node certificate, which is proven by the connection. */
export interface MemberAsker {
  /** Address and port. */
  readonly peer: string;
  readonly certificate: Certificate;
}

/** Signs certificates for nodes (talos-pki.md §7), and keeps on record what it signed. */
export interface Signer {
  /** Talos' call: a serving certificate for who has the token. */
  certificate(asker: TokenAsker, request: CertificateRequest): Promise<CertificateResponse>;
  /** Makes a node a member. */
  join(asker: TokenAsker, request: JoinRequest): Promise<JoinResponse>;
  /** Renews what a member holds. */
  renew(asker: MemberAsker, request: RenewNodeRequest): Promise<RenewNodeResponse>;
}
