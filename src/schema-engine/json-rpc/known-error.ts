import { type ErrorCode, LockstepError } from "../../errors.js"
import { EngineRefusal } from "../engine-error.js"

/** An error as the schema engine answers it: Prisma's code where it has one, and the text that the CLI prints. */
export interface KnownError {
  readonly code: string | undefined
  readonly message: string
  readonly meta: unknown
}

/** How an error of Lockstep's is put into words; the process boundary has the renderer. */
export type Words = (error: LockstepError) => string

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

/** The answer for whatever was thrown. */
export function knownError(error: unknown, words: Words): KnownError {
  if (error instanceof EngineRefusal) return { code: error.code, message: error.message, meta: error.meta }
  if (error instanceof LockstepError)
    return { code: codes[error.code], message: words(error), meta: { code: error.code } }
  return { code: undefined, message: error instanceof Error ? error.message : String(error), meta: undefined }
}
