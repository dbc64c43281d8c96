import * as z from "zod/mini"
import type { Plan, Work } from "../plan/planned.js"
import { lockModes } from "../sql/rules/rule.js"
import { canBeApplied, type HazardName, hazardNames, planVerdict } from "./plan.js"

/** The plan for programs: lockstep.plan/1. */
export function planObject(plan: Plan, refused: readonly HazardName[]): PlanAnswer {
  return {
    schema: "lockstep.plan/1",
    canBeApplied: canBeApplied(plan),
    refused,
    verdict: planVerdict(plan, refused),
    failed: plan.failed,
    existingObjects: plan.existingObjects ?? null,
    migrations: plan.migrations.map(({ name, file, class: kind, why, outOfOrder, unparsed, statements }) => ({
      name,
      file,
      class: kind,
      why: why ?? null,
      outOfOrder,
      unparsed: unparsed ?? null,
      statements: statements.map(({ line, text, work }) => ({ line, text, work: work.map(workObject) })),
    })),
  }
}

function workObject({ target, table, ...work }: Work): z.infer<typeof workAnswer> {
  const existing = target.state === "existing" ? target : undefined
  return {
    table: table ?? null,
    state: target.state,
    kind: existing?.kind ?? null,
    rows: existing?.rows ?? null,
    bytes: existing?.bytes ?? null,
    ...work,
  }
}

const texts = z.readonly(z.array(z.string()))
const count = z.number().check(z.int(), z.gte(0))
const certainty = z.union([z.boolean(), z.literal("depends")])

const workAnswer = z.strictObject({
  /** As SQL, quoted; null where the statement names none. */
  table: z.nullable(z.string()),
  state: z.enum(["existing", "new", "absent", "unnamed"]),
  kind: z.nullable(z.enum(["table", "partitioned table", "foreign table", "materialized view", "view", "sequence"])),
  /** PostgreSQL's estimate; null where it has none. */
  rows: z.nullable(count),
  /** With indexes, TOAST and partitions; null where it is not known. */
  bytes: z.nullable(count),
  /** Anchors of docs/lock-rules.md. */
  rules: texts,
  lock: z.enum([...lockModes, "none", "unknown"]),
  ...{ rewrites: certainty, scans: certainty, costs: texts, destroys: texts, safer: texts },
})

/** What `lockstep plan --json` prints: lockstep.plan/1. */
export const planAnswer = z.strictObject({
  schema: z.literal("lockstep.plan/1"),
  /** As far as a plan can know: no failed migration, every file parsed, and either a history or an empty database. */
  canBeApplied: z.boolean(),
  /** Of what --fail-on names. */
  refused: z.readonly(z.array(z.enum(hazardNames))),
  verdict: z.string(),
  failed: texts,
  /** What a database without a history holds. */
  existingObjects: z.nullable(z.string()),
  migrations: z.array(
    z.strictObject({
      ...{ name: z.string(), file: z.string(), outOfOrder: z.boolean() },
      class: z.enum(["transactional", "non-transactional", "self-managed"]),
      why: z.nullable(z.string()),
      unparsed: z.nullable(z.strictObject({ line: count, column: count, message: z.string() })),
      statements: z.array(z.strictObject({ line: count, text: z.string(), work: z.array(workAnswer) })),
    }),
  ),
})

export type PlanAnswer = z.infer<typeof planAnswer>
