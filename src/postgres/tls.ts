import { readFileSync } from "node:fs"
import type { ConnectionOptions } from "node:tls"
import { LockstepError } from "../errors.js"

/** How to secure the connection: `prefer` tries TLS and goes on without where the server has none. */
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
 * The ssl… parameters of a URL. Certificates are verified with `sslaccept=strict`, `sslmode=verify-ca|verify-full`,
 * or a given `sslrootcert`; otherwise they are accepted as they are, which is Prisma's default.
 * Prisma's `sslcert` alone is the server's CA certificate; with `sslkey` it is the client's, as in libpq.
 * Errors: L1203 a value that is not understood, L1204 a certificate file that cannot be read.
 */
export function parseTls(query: URLSearchParams): Tls {
  const mode = query.get("sslmode") ?? process.env.PGSSLMODE ?? "prefer"
  if (!isMode(mode)) {
    throw new LockstepError("L1203", `sslmode=${mode} in the database URL is none of ${Object.keys(modes).join(", ")}`)
  }
  const accept = query.get("sslaccept")
  if (accept !== null && accept !== "strict" && accept !== "accept_invalid_certs") {
    throw new LockstepError(
      "L1203",
      `sslaccept=${accept} in the database URL is neither strict nor accept_invalid_certs`,
    )
  }
  const key = query.get("sslkey")
  const certificate = query.get("sslcert")
  const root = query.get("sslrootcert") ?? (key ? null : certificate)
  const identity = query.get("sslidentity")
  const verify = accept === "strict" || mode.startsWith("verify") || (root !== null && accept === null)
  return {
    mode: modes[mode],
    options: {
      rejectUnauthorized: verify,
      ...(verify && mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
      ...(root && root !== "system" ? { ca: read("sslrootcert", root) } : {}),
      ...(key && certificate ? { key: read("sslkey", key), cert: read("sslcert", certificate) } : {}),
      ...(identity ? { pfx: read("sslidentity", identity), passphrase: query.get("sslpassword") ?? "" } : {}),
    },
  }
}

function read(parameter: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new LockstepError("L1204", `the file that ${parameter} names in the database URL cannot be read: ${path}`, {
      cause,
      next: "give the path of a readable file (a relative one starts at the current folder)",
    })
  }
}
