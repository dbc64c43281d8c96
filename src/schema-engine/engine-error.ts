import type { ErrorRegistry } from "@prisma/driver-adapter-utils"
import { DatabaseError } from "pg"
import { type ErrorCode, LockstepError } from "../errors.js"
import { InvalidInput, panicMessage } from "./wasm.js"

/** An error that the engine reported: its message, and its `P` code where it gave one. */
export class EngineRefusal extends Error {
  override readonly name = "EngineRefusal"
  readonly code: string | undefined
  readonly meta: unknown

  constructor(message: string, { code, meta, cause }: { code?: string | undefined; meta?: unknown; cause: unknown }) {
    super(message, { cause })
    this.code = code
    this.meta = meta
  }
}

/** The engine crashed; its module must not be called again in this process. */
export class EnginePanic extends Error {
  override readonly name = "EnginePanic"
  /** The place in the engine's sources, for a report of the bug; empty where the engine gave none. */
  readonly place: string

  constructor(text: string, options?: ErrorOptions) {
    const [place = ""] = /^panicked at \S+\n/.exec(text) ?? []
    super(text.slice(place.length), options)
    this.place = place.trim()
  }
}

/**
 * What an engine call threw: a panic; an error of Lockstep's own that came back through the engine ("External error
 * id#3": the adapter's registry has the original); or what the engine reported.
 */
export function engineFailure(cause: unknown, registry: ErrorRegistry): Error {
  if (cause instanceof WebAssembly.RuntimeError) {
    return new EnginePanic(panicMessage() || cause.message, { cause })
  }
  if (cause instanceof EnginePanic || cause instanceof InvalidInput) return cause
  if (!(cause instanceof Error)) return new EngineRefusal(String(cause), { cause })
  const [placeholder, id] = /External error[^#\n]*id#(\d+)/i.exec(cause.message) ?? []
  const original = id === undefined ? undefined : registry.consumeError(Number(id))?.error
  if (original instanceof Error && !(original instanceof DatabaseError)) return original
  const message =
    original instanceof DatabaseError && placeholder
      ? cause.message.replace(placeholder, `${serverMessage(original)} (${original.code})`)
      : cause.message
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined
  return new EngineRefusal(withoutTrace(message), { code, meta: "meta" in cause ? cause.meta : undefined, cause })
}

/** The engine's build for WebAssembly ends some messages with its own functions and the places of their sources. */
const withoutTrace = (message: string): string => message.replace(/\n\s+0: schema_[\w:]+\n\s+at [\s\S]*$/, "\n")

/** A server error as Prisma's engine prints it. */
export function serverMessage({ severity = "ERROR", message, detail, hint }: DatabaseError): string {
  const rest = [detail && `DETAIL: ${detail}`, hint && `HINT: ${hint}`]
  return [`${severity}: ${message}`, ...rest].filter(Boolean).join("\n")
}

interface Advice {
  readonly code: ErrorCode
  readonly message: string
  readonly next: string
}

/** Prisma's codes that have their own advice. Source: Prisma's "Error message reference". */
const advice: Readonly<Record<string, Advice>> = {
  P1012: {
    code: "L1401",
    message: "the Prisma schema is not valid",
    next: "fix the schema, then run the same command again (deploy and status do not need it)",
  },
  P3006: {
    code: "L1406",
    message: "a migration of the folder cannot be replayed on an empty database",
    next: "fix that migration's SQL (it must not need what no earlier migration creates), then run the same command again",
  },
  P3019: {
    code: "L1407",
    message: "the migration lock file is for another database than the schema",
    next: 'set provider = "postgresql" in both, or start a new history',
  },
}

/** An engine failure as an error that a person can read. */
export function explain(failure: unknown): LockstepError {
  if (failure instanceof LockstepError) return failure
  const message = (failure instanceof Error ? failure.message : String(failure)).trim()
  if (failure instanceof EnginePanic) {
    return new LockstepError("L1408", "Prisma's schema engine crashed", {
      hint: message,
      next: "this is a bug in the engine: report it at https://github.com/prisma/prisma/issues with the schema and the migrations",
      cause: failure,
    })
  }
  const prisma = failure instanceof EngineRefusal ? failure.code : undefined
  const known = advice[prisma ?? ""] ?? {
    code: "L1407" as const,
    message: "Prisma's schema engine reported an error",
    next: "fix what it names, then run the same command again",
  }
  const place = /-->\s+(.+):(\d+)\s*$/m.exec(message)
  const tail = prisma ? ` (Prisma ${prisma})` : ""
  return new LockstepError(known.code, known.message + tail, {
    file: place?.[1],
    line: place ? Number(place[2]) : undefined,
    hint: message,
    next: known.next,
    cause: failure,
  })
}
