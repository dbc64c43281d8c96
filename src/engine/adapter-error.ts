import { DriverAdapterError } from "@prisma/driver-adapter-utils"
import { DatabaseError } from "pg"

/**
 * The server's error in the shape that the engine understands: always `postgres` with its SQLSTATE, because the engine
 * tells a missing history table (42P01), a lost race and the like by the code. Anything else is passed on as it is.
 */
export function adapterError(cause: unknown): unknown {
  if (!(cause instanceof DatabaseError)) return cause
  return new DriverAdapterError({
    kind: "postgres",
    code: cause.code ?? "XX000",
    severity: cause.severity ?? "ERROR",
    message: cause.message,
    detail: cause.detail,
    column: cause.column,
    hint: cause.hint,
    ...(cause.code ? { originalCode: cause.code } : {}),
    originalMessage: cause.message,
  })
}
