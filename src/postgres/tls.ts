import { existsSync, readFileSync } from "node:fs"
import { isAbsolute, join } from "node:path"
import type { ConnectionOptions, PeerCertificate } from "node:tls"
import { LockstepError } from "../errors.js"

/** How to secure the connection: `prefer` tries TLS, and connects without it where the server has none. */
export interface Tls {
  readonly mode: "disable" | "prefer" | "require"
  readonly options: ConnectionOptions
}

const modes = {
  disable: "disable",
  allow: "prefer",
  prefer: "prefer",
  require: "require",
  "no-verify": "require",
  "verify-ca": "require",
  "verify-full": "require",
} as const

const isMode = (text: string): text is keyof typeof modes => Object.hasOwn(modes, text)

/**
 * The ssl… parameters of a URL, for a server at `host`. Who the server is gets verified
 * - completely with `sslaccept=strict`, `sslmode=verify-full` and `sslrootcert=system`;
 * - but for its name with `sslmode=verify-ca`, and where a root certificate is given: what libpq does;
 * - not at all otherwise, which is Prisma's default.
 * Prisma's `sslcert` alone is the root certificate; with `sslkey` it is the client's, as in libpq.
 * Errors: L1203 a value that is not supported, L1204 a certificate file that cannot be read.
 */
export function parseTls(query: URLSearchParams, host: string): Tls {
  const mode = query.get("sslmode") ?? process.env.PGSSLMODE ?? "prefer"
  if (!isMode(mode)) {
    throw new LockstepError("L1203", `sslmode in the database URL is none of ${Object.keys(modes).join(", ")}`)
  }
  const accept = query.get("sslaccept")
  if (accept !== null && accept !== "strict" && accept !== "accept_invalid_certs") {
    throw new LockstepError("L1203", "sslaccept in the database URL is neither strict nor accept_invalid_certs")
  }
  const key = query.get("sslkey")
  const certificate = query.get("sslcert")
  const root = query.get("sslrootcert") ?? (key ? null : certificate)
  const identity = query.get("sslidentity")
  const passphrase = query.get("sslpassword")
  const isStrict = accept === "strict" || mode === "verify-full" || root === "system"
  const lax = accept === "accept_invalid_certs" || mode === "no-verify"
  return {
    mode: modes[mode],
    options: {
      rejectUnauthorized: isStrict || mode === "verify-ca" || (root !== null && !lax),
      checkServerIdentity: isStrict ? (_, certificate) => nameError(host, certificate) : () => undefined,
      ...(root && root !== "system" ? { ca: read("sslrootcert", root) } : {}),
      ...(key && certificate ? { key: read("sslkey", key), cert: read("sslcert", certificate) } : {}),
      ...(identity ? { pfx: read("sslidentity", identity) } : {}),
      ...(passphrase ? { passphrase } : {}),
    },
  }
}

/** Node would look for "localhost" in the certificate where the host is an address. Loaded late: it takes 10 ms. */
const nameError = (host: string, certificate: PeerCertificate): Error | undefined =>
  process.getBuiltinModule("node:tls").checkServerIdentity(host, certificate)

/** A relative path starts here, or in prisma/, where Prisma starts it. */
function read(parameter: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    const inPrisma = join("prisma", path)
    if (!isAbsolute(path) && existsSync(inPrisma)) return readFileSync(inPrisma)
    throw new LockstepError("L1204", `the file that ${parameter} names in the database URL cannot be read: ${path}`, {
      cause,
      next: "give the path of a readable file (a relative one starts at the current folder, or in prisma/)",
    })
  }
}
