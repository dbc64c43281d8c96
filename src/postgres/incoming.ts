import pg from "pg"

type Deliver = (bytes: Buffer) => void

/**
 * The driver's connection, for what a server may send without end: rows and COPY output that nobody reads, notices, and
 * the fields of an error. They are dropped or cut in the bytes that arrive, before the driver makes objects of them.
 * Source: PostgreSQL's documentation, 54.7 "Message Formats".
 */
export class BoundedConnection extends pg.Connection {
  /** Whether rows and COPY output are dropped now. A row description is always handed on before its first row. */
  dropsRows = false
  /** Whether notices are dropped, as everywhere but where they are listened to. */
  dropsNotices = true

  override attachListeners(stream: ByteSource): void {
    const messages = new Messages(this)
    super.attachListeners({
      on: (event, listener) =>
        stream.on(event, event === "data" ? (bytes) => messages.arrive(bytes, listener) : listener),
    })
  }
}

const headerLength = 5
const nothing = Buffer.alloc(0)

const code = { error: 0x45, notice: 0x4e, rowDescription: 0x54, row: 0x44, copyData: 0x64 } as const

/** Follows the messages through the pieces in which they arrive. */
class Messages {
  /** The beginning of a header that is not all here yet. */
  #rest: Buffer = nothing
  /** Bytes of the present message that are still to come. */
  #left = 0
  #code = 0
  #treatment: "deliver" | "drop" | CutError = "deliver"

  constructor(private readonly connection: Pick<BoundedConnection, "dropsRows" | "dropsNotices">) {}

  arrive(piece: Buffer, deliver: Deliver): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, piece]) : piece
    this.#rest = nothing
    let delivered = 0
    let at = 0
    const deliverTo = (end: number) => {
      if (end > delivered) deliver(bytes.subarray(delivered, end))
      delivered = end
    }
    while (at < bytes.length) {
      if (this.#left === 0) {
        if (bytes.length - at < headerLength) {
          this.#rest = bytes.subarray(at)
          break
        }
        if (this.#code === code.rowDescription) deliverTo(at)
        this.#begin(bytes[at] ?? 0, bytes.readUInt32BE(at + 1))
        if (this.#treatment !== "deliver") deliverTo(at)
      }
      const taken = bytes.subarray(at, at + this.#left)
      this.#left -= taken.length
      at += taken.length
      if (this.#treatment === "deliver") continue
      delivered = at
      if (this.#treatment === "drop") continue
      this.#treatment.take(taken)
      if (this.#left === 0) deliver(this.#treatment.message())
    }
    deliverTo(at)
  }

  #begin(kind: number, length: number): void {
    this.#code = kind
    this.#left = length + 1
    const isRow = kind === code.row || kind === code.copyData
    const { dropsRows, dropsNotices } = this.connection
    if ((kind === code.notice && dropsNotices) || (isRow && dropsRows)) this.#treatment = "drop"
    else if (kind === code.error && length > longestField) this.#treatment = new CutError()
    else this.#treatment = "deliver"
  }
}

/** In bytes. A longer field is cut, with a note. */
const longestField = 8192

/** An error whose fields are cut as they arrive. */
class CutError {
  readonly #fields: Buffer[] = []
  #skip = headerLength
  /** The field that arrives: its type first. */
  #kept: Buffer[] = []
  #length = 0

  take(bytes: Buffer): void {
    const skipped = Math.min(this.#skip, bytes.length)
    this.#skip -= skipped
    for (let at = skipped; at < bytes.length; ) {
      const end = bytes.indexOf(0, at)
      const part = bytes.subarray(at, end < 0 ? bytes.length : end)
      if (this.#length < longestField) this.#kept.push(part.subarray(0, longestField - this.#length))
      this.#length += part.length
      at += part.length + 1
      if (end >= 0) this.#endField()
    }
  }

  /** The message as the server would have sent it with shorter fields. */
  message(): Buffer {
    const body = Buffer.concat(this.#fields)
    const header = Buffer.alloc(headerLength, code.error)
    header.writeUInt32BE(body.length + headerLength - 1, 1)
    return Buffer.concat([header, body])
  }

  #endField(): void {
    let kept = Buffer.concat(this.#kept)
    let note = ""
    if (this.#length > kept.length) {
      let end = kept.length
      // Not inside of a character.
      while (((kept[end - 1] ?? 0) & 0xc0) === 0x80) end--
      kept = kept.subarray(0, end - 1)
      note = `… (cut: it is ${this.#length - 1} bytes long)`
    }
    this.#fields.push(kept, Buffer.from(`${note}\0`))
    this.#kept = []
    this.#length = 0
  }
}

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
    /** The rows of a COPY FROM STDIN, and its end. */
    sendCopyFromChunk(chunk: Buffer): void
    endCopyFrom(): void
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
