import * as z from "zod/mini"

/** What a finding counts as: an "error" fails the command, a "warning" is printed. */
export const severities = ["error", "warning"] as const
export type Severity = (typeof severities)[number]

const position = z.optional(z.number().check(z.int(), z.gte(1)))
const text = z.optional(z.string())

/** What a check found, and where. Every renderer (text, JSON and other formats) takes this one shape. */
export const finding = z.strictObject({
  /** The check's id, such as "history/order". */
  check: z.string(),
  severity: z.enum(severities),
  /** The check's title: what does not hold. */
  title: z.string(),
  /** What is wrong, in one sentence or a few; it names what it is about. */
  message: z.string(),
  /** Relative to the folder in which the command runs, with forward slashes. */
  file: text,
  /** Of the statement or the part of it that is meant: 1-based, the columns in characters. */
  ...{ line: position, column: position },
  /** Where it ends, that place included. */
  ...{ endLine: position, endColumn: position },
  /** The database object, model or migration that it is about, such as `"Order"` or User.name. */
  object: text,
  /** The rule of another tool that found the same, such as squawk's. */
  rule: text,
  /** What to do or to type; commands stand in backticks. */
  next: text,
  /** Whether `lockstep check ID --fix` does that. */
  fixable: z.boolean(),
  /** The check's section in the documentation, from the package's root: "docs/checks.md#historyorder". */
  docs: z.string(),
})

export type Finding = Readonly<z.infer<typeof finding>>

const ran = { check: z.string(), title: z.string(), durationMs: z.number().check(z.gte(0)) }

/** A finding that an exception in its migration's file accepts, and the reason that the file gives. */
const accepted = z.strictObject({ reason: z.string(), finding })

/** How a check ended. */
export const result = z.discriminatedUnion("state", [
  z.strictObject({ state: z.literal("passed"), ...ran, accepted: z.readonly(z.array(accepted)) }),
  z.strictObject({
    state: z.enum(["failed", "warned"]),
    ...ran,
    findings: z.readonly(z.array(finding)),
    accepted: z.readonly(z.array(accepted)),
  }),
  z.strictObject({ state: z.literal("skipped"), check: z.string(), title: z.string(), reason: z.string() }),
])

export type Result = Readonly<z.infer<typeof result>>
export type Accepted = Readonly<z.infer<typeof accepted>>

/** The findings of all results, in the order of the checks. */
export const findingsOf = (results: readonly Result[]): readonly Finding[] =>
  results.flatMap((one) => (one.state === "failed" || one.state === "warned" ? one.findings : []))

/** The section of a check in docs/checks.md, as GitHub makes a heading's anchor. */
export const docsOf = (id: string): string => `docs/checks.md#${id.replaceAll("/", "")}`
