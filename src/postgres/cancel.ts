import { connect as connectSocket, isIP, type Socket } from "node:net"
import type { Client } from "./connect.js"
import type { DatabaseUrl } from "./url.js"

const timeoutMs = 1500

/**
 * Asks the server to cancel what the connection's session runs. A cancel request is a connection of its own that needs
 * neither a password nor one of the server's connection slots, and poolers pass it on. Resolves when the server has
 * taken it, or the wait for that timed out. Source: PostgreSQL's documentation, 54.2.9 "Canceling Requests in Progress".
 */
export async function requestCancel(client: Client, url: DatabaseUrl): Promise<void> {
  const { processID, secretKey, connection } = client
  if (processID === null || secretKey === null) return
  const message = Buffer.alloc(16)
  message.writeInt32BE(16, 0)
  message.writeInt32BE(80877102, 4)
  message.writeInt32BE(processID, 8)
  message.writeInt32BE(secretKey, 12)
  const socket = url.host.startsWith("/")
    ? connectSocket(`${url.host}/.s.PGSQL.${url.port}`)
    : connectSocket(url.port, url.host)
  await sent(socket, message, "encrypted" in connection.stream ? url : undefined).finally(() => socket.destroy())
}

function sent(socket: Socket, message: Buffer, secure: DatabaseUrl | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => resolve()
    setTimeout(done, timeoutMs).unref()
    socket.on("error", done).on("close", done)
    if (secure === undefined) {
      socket.on("connect", () => socket.write(message))
      return
    }
    // The secret, with which anybody could cancel, is encrypted where the session is.
    socket.on("connect", () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])))
    socket.once("data", () => {
      const servername = isIP(secure.host) ? {} : { servername: secure.host }
      // Loaded late: it takes 10 ms.
      const { connect } = process.getBuiltinModule("node:tls")
      const tls = connect({ ...secure.tls.options, ...servername, socket }, () => tls.write(message))
      tls.on("error", done).on("close", done)
    })
  })
}
