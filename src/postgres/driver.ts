/**
 * What Lockstep uses of node-postgres beyond what its types declare. Everything that depends on the driver's internals
 * is declared here, so that a new version of it is checked in one place; test/postgres tests each.
 */

/** A source of the server's bytes, as the driver listens to it. */
export interface ByteSource {
  on(event: string, listener: (bytes: Buffer) => void): unknown
}

declare module "pg" {
  interface ClientConfig {
    /** A connection of a class of ours: see BoundedConnection. */
    connection?: Connection
  }
  interface Connection {
    /** Where the driver starts to parse what arrives: rows that nobody reads are dropped before it does. */
    attachListeners(stream: ByteSource): void
    /** The answer to COPY FROM STDIN, for which a migration has no data. */
    sendCopyFail(message: string): void
  }
  interface Client {
    /** The server process of the session, as the server or a pooler names it in its greeting: differs behind a pooler. */
    readonly processID: number | null
    /** With the process id it authorizes a request to cancel the session's statement. */
    readonly secretKey: number | null
  }
}

/** The connection's event "parameterStatus": the server reports that a setting changed. */
export interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

/** The connection's event "readyForQuery": a message is answered; status is I, T or E, as getTransactionStatus gives it. */
export interface ReadyForQuery {
  readonly status: string
}
