import { connect, createServer, type Socket } from "node:net"
import { onTestFinished } from "vitest"

/** Looks at what passes; answers how many of these bytes pass before the connection is cut, undefined: all, go on. */
export type Cut = (chunk: Buffer, from: "client" | "server", connection: number) => number | undefined

/** A TCP proxy before a PostgreSQL server. */
export interface Proxy {
  /** The server's URL with the proxy's address. */
  readonly url: string
  /** Leads what connects from now on to another server, as a fail-over does. */
  readonly leadTo: (serverUrl: string) => void
  /** Bytes that passed, both ways, of every connection together. */
  readonly passed: () => number
}

/** A proxy that cuts connections where the test says: both sides are closed at once, without a word. */
export async function proxyBefore(serverUrl: string, cut: Cut): Promise<Proxy> {
  let target = new URL(serverUrl)
  const open = new Set<Socket>()
  let passed = 0
  let connections = 0
  const server = createServer((client) => {
    const connection = connections++
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on("error", () => {}).on("close", () => open.delete(socket))
    }
    const pass = (from: "client" | "server", to: Socket) => (chunk: Buffer) => {
      const limit = cut(chunk, from, connection)
      passed += Math.min(limit ?? chunk.length, chunk.length)
      if (limit === undefined) {
        to.write(chunk)
        return
      }
      to.write(chunk.subarray(0, limit), () => {
        client.destroy()
        upstream.destroy()
      })
    }
    // A killed client's connection ends with a reset, which is no end of its data.
    client.on("data", pass("client", upstream)).on("end", () => upstream.end())
    client.on("close", (isReset) => isReset && upstream.destroy())
    upstream.on("data", pass("server", client)).on("end", () => client.end())
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(async () => {
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  const url = new URL(serverUrl)
  url.hostname = "127.0.0.1"
  url.port = String(typeof address === "object" ? address?.port : "")
  const leadTo = (other: string) => {
    target = new URL(other)
  }
  return { url: url.href, leadTo, passed: () => passed }
}

/** Cuts the first connection after this many bytes, both ways counted. */
export function cutAfter(bytes: number): Cut {
  let left = bytes
  return (chunk, _from, connection) => {
    if (connection > 0) return undefined
    if (chunk.length < left) {
      left -= chunk.length
      return undefined
    }
    const limit = left
    left = 0
    return limit
  }
}

const committed = Buffer.from("C\0\0\0\x0bCOMMIT\0")

/** Cuts the first connection before the server's n-th word that a COMMIT is done (counted from 1). */
export function cutBeforeCommit(n: number): Cut {
  let seen = 0
  return (chunk, from, connection) => {
    if (connection > 0 || from === "client") return undefined
    for (let at = chunk.indexOf(committed); at >= 0; at = chunk.indexOf(committed, at + 1)) {
      if (++seen === n) return at
    }
    return undefined
  }
}
