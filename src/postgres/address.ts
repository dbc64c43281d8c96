import { LockstepError } from "../errors.js"

/**
 * A database URL's server reached at another address, "host:port": everything else of the URL stays. It is for a
 * container that has the server under a name of its own. A unix socket in the URL is replaced as well.
 * Errors: L1203 the address is not "host:port".
 */
export function atAddress(text: string, address: string | undefined): string {
  if (!address || !URL.canParse(text)) return text
  const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? []
  if (host === undefined || port === undefined || !URL.canParse(`postgresql://${address}`)) {
    throw new LockstepError("L1203", `LOCKSTEP_DATABASE_HOST is ${address}, which is not host:port`)
  }
  const url = new URL(text)
  url.hostname = host
  url.port = port
  for (const name of ["host", "port"]) url.searchParams.delete(name)
  return url.href
}
