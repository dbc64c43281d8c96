import { createColors } from "picocolors"
import * as z from "zod/mini"
import { forPeople } from "../../cli/output.js"
import { type ErrorCode, LockstepError } from "../../errors.js"
import { renderError } from "../../report/error.js"
import { EngineRefusal } from "../engine-error.js"
import { InvalidInput } from "../wasm.js"
import { invalidParams, RpcError } from "./protocol.js"

/** An error as the schema engine reports it: Prisma's code where it has one, and the text that the CLI prints. */
interface KnownError {
  readonly code: string | undefined
  readonly message: string
  readonly meta: unknown
}

/** Prisma's codes for ours. Source: Prisma's "Error message reference". */
const codes: Partial<Record<ErrorCode, string>> = {
  L1012: "P3018",
  L1013: "P3018",
  L1014: "P3018",
  L1015: "P3018",
  L1016: "P1017",
  L1020: "P1002",
  L1023: "P1010",
  L1101: "P3019",
  L1102: "P3015",
  L1103: "P3005",
  L1104: "P3009",
  L1107: "P3017",
  L1110: "P1010",
  L1201: "P1013",
  L1202: "P1013",
  L1203: "P1013",
  L1204: "P1013",
  L1210: "P1001",
  L1211: "P1001",
  L1212: "P1001",
  L1213: "P1000",
  L1214: "P1010",
  L1215: "P1003",
  L1216: "P2037",
  L1217: "P1001",
  L1218: "P1011",
  L1219: "P1001",
}

/** Whatever was thrown, as it is reported to Prisma's CLI. */
export function knownError(error: unknown): KnownError {
  if (error instanceof EngineRefusal) return { code: error.code, message: error.message, meta: error.meta }
  if (error instanceof LockstepError) {
    const message = forPeople(renderError(error, createColors(false)))
    return { code: codes[error.code], message, meta: { code: error.code } }
  }
  return { code: undefined, message: error instanceof Error ? error.message : String(error), meta: undefined }
}

/** The answer to a call that failed: Prisma's own number and words; what the CLI prints is in `data`. */
export function refusal(error: unknown): RpcError {
  if (error instanceof InvalidInput) return invalidParams(error.message)
  if (error instanceof z.core.$ZodError) return invalidParams(z.prettifyError(error))
  const { code, message, meta } = knownError(error)
  const data = {
    is_panic: false,
    message,
    ...(code ? { meta: meta ?? {}, error_code: code } : { backtrace: null }),
  }
  return new RpcError(4466, "An error happened. Check the data field for details.", data)
}
