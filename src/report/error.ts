import type { Output } from "../cli/output.js"
import { LockstepError } from "../errors.js"
import { adviceFor } from "../postgres/sqlstate.js"
import { inLine } from "../printable.js"
import type { ErrorAnswer } from "./schemas.js"

/** An error as people read it: what failed, where, the database's state, the next command. */
export const renderError = (error: LockstepError, paint: Output["paint"]): string =>
  renderErrorAnswer(errorObject(error), paint)

/** The same of an error that programs have read. */
export function renderErrorAnswer(error: ErrorAnswer, paint: Output["paint"]): string {
  const { file, line, column, excerpt, sqlstate, hint, state, next } = error
  const place = [file, line, column].filter((part) => part !== undefined).join(":")
  return [
    `${paint.red(paint.bold(`error[${error.code}]`))}: ${error.message.replaceAll("\n", "\n    ")}${sqlstate ? ` (PostgreSQL ${sqlstate})` : ""}`,
    place && `  ${inLine(place)}`,
    excerpt,
    hint && indent(hint),
    state && `  ${paint.bold("state:")}  ${inLine(state)}`,
    next && `  ${paint.bold("next:")}   ${next.replaceAll("\n", "\n          ")}`,
  ]
    .filter(Boolean)
    .join("\n")
}

/** An error as programs read it. */
export function errorObject({ code, message, details }: LockstepError): ErrorAnswer {
  const { cause: _, ...rest } = details
  return { schema: "lockstep.error/1", code, message, ...rest }
}

/** A line of a server's that looks like one of ours is set apart from them. */
const indent = (text: string): string => text.replace(/^(?=(?:state|next):)/gm, "  ").replace(/^(?=.)/gm, "  ")

/** Whatever was thrown, as our error; one that was not expected keeps its message and is reported as a bug in Lockstep. */
export function asLockstepError(error: unknown): LockstepError {
  if (error instanceof LockstepError) return error
  const message = error instanceof Error ? error.message : String(error)
  const sqlstate = sqlstateIn(error)
  if (sqlstate !== undefined)
    return new LockstepError("L1220", message, { sqlstate, hint: adviceFor(sqlstate), cause: error })
  return new LockstepError("L1000", message, {
    hint: error instanceof Error ? error.stack?.split("\n").slice(1, 4).join("\n") : undefined,
    cause: error,
  })
}

/** Recognized by its shape, so that a command without a database does not load the driver. */
function sqlstateIn(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("severity" in error) || !("code" in error)) return undefined
  return typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined
}
