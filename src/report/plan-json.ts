import * as z from "zod/mini"
import type { Plan, Work } from "../plan/planned.js"
import { lockModes } from "../sql/rules/rule.js"
import { canBeApplied, type HazardName, hazardNames, planVerdict } from "./hazards.js"

/** The plan for programs: lockstep.plan/1. */
export function planObject(plan: Plan, refused: readonly HazardName[]): PlanAnswer {
  return {
    schema: "lockstep.plan/1",
    basis: plan.basis.basis,
    why: plan.basis.basis === "estimated" ? plan.basis.why : null,
    postgres: plan.basis.basis === "observed" ? plan.basis.version : null,
    target: plan.target,
    replicas: plan.replicas,
    drift: plan.drift ?? null,
    canBeApplied: canBeApplied(plan),
    refused,
    verdict: planVerdict(plan, refused),
    failed: plan.failed,
    adopts: plan.adopts,
    existingObjects: plan.existingObjects ?? null,
    migrations: plan.migrations.map(({ name, file, class: kind, why, outOfOrder, unparsed, statements }) => ({
      name,
      file,
      class: kind,
      why: why ?? null,
      outOfOrder,
      unparsed: unparsed ?? null,
      statements: statements.map(({ line, column, text, basis, work, refused, notices }) => ({
        ...{ line, column, text, basis, refused: refused ?? null, notices },
        work: work.map(workObject),
      })),
    })),
  }
}

function workObject({ target, table, held, ...work }: Work): z.infer<typeof workAnswer> {
  const existing = target.state === "existing" ? target : undefined
  return {
    table: table ?? null,
    state: target.state,
    kind: existing?.kind ?? null,
    rows: existing?.rows ?? null,
    bytes: existing?.bytes ?? null,
    partitions: existing?.partitions ?? null,
    dependents: existing?.dependents ?? [],
    held: held ?? null,
    ...work,
  }
}

const texts = z.readonly(z.array(z.string()))
const count = z.number().check(z.int(), z.gte(0))
const certainty = z.union([z.boolean(), z.literal("depends")])

const basis = z.enum(["observed", "estimated"])

const workAnswer = z.strictObject({
  /** As SQL, quoted; null where the statement names none. */
  table: z.nullable(z.string()),
  state: z.enum(["existing", "new", "absent", "unnamed"]),
  kind: z.nullable(z.enum(["table", "partitioned table", "foreign table", "materialized view", "view", "sequence"])),
  /** PostgreSQL's estimate; null where it has none. */
  rows: z.nullable(count),
  /** With indexes, TOAST and partitions; null where it is not known. */
  bytes: z.nullable(count),
  partitions: z.nullable(count),
  /** Foreign keys, views, triggers and publications that hang on the table. */
  dependents: texts,
  /** Anchors of docs/lock-rules.md. */
  rules: texts,
  lock: z.enum([...lockModes, "none", "unknown"]),
  /** Who waits for the lock, and how long it is held: a transactional migration's to its end. */
  waits: z.enum(["readers and writers", "writers", "nobody", "unknown"]),
  until: z.enum(["end of migration", "end of statement"]),
  /** A stronger lock that an earlier statement of the same transaction took. */
  held: z.nullable(z.strictObject({ lock: z.enum(lockModes), line: count })),
  ...{ rewrites: certainty, scans: certainty, costs: texts, destroys: texts, safer: texts },
  /** Foreign keys' actions included. */
  writes: z.readonly(z.array(z.enum(["insert", "update", "delete", "truncate"]))),
  /** Why it is certain to fail on the rows that the database has. */
  fails: texts,
  /** What is not known about it. */
  unknown: texts,
})

/** What `lockstep plan --json` prints: lockstep.plan/1. */
export const planAnswer = z.strictObject({
  schema: z.literal("lockstep.plan/1"),
  /** "observed": the migrations ran on a scratch database; "estimated": by rules, because of `why`. */
  basis,
  why: z.nullable(z.string()),
  /** The version of the server on which they were observed. */
  postgres: z.nullable(z.string()),
  /** The database whose tables' sizes these are. */
  target: z.string(),
  /** The server's standbys and the database's replication slots, in words, as far as the role may see them. */
  replicas: texts,
  /** How the database differs from what its applied migrations make; null where they were not compared. */
  drift: z.nullable(z.strictObject({ missing: texts, unexpected: texts })),
  /** As far as a plan can know: no failed migration, every file parsed, no statement refused, and either a history or an empty database. */
  canBeApplied: z.boolean(),
  /** Of what --fail-on names. */
  refused: z.readonly(z.array(z.enum(hazardNames))),
  verdict: z.string(),
  failed: texts,
  /** Squashed migrations whose rows a deploy puts in the place of those of what they replace. */
  adopts: texts,
  /** What a database without a history holds. */
  existingObjects: z.nullable(z.string()),
  migrations: z.array(
    z.strictObject({
      ...{ name: z.string(), file: z.string(), outOfOrder: z.boolean() },
      class: z.enum(["transactional", "non-transactional", "self-managed"]),
      why: z.nullable(z.string()),
      unparsed: z.nullable(z.strictObject({ line: count, column: count, message: z.string() })),
      statements: z.array(
        z.strictObject({
          /** Of its first token. */
          ...{ line: count, column: count },
          /** The whole statement, on one line. */
          text: z.string(),
          /** "estimated" also after a statement that PostgreSQL refused: what follows it did not run. */
          basis,
          /** Why PostgreSQL refused it on the scratch database. */
          refused: z.nullable(z.string()),
          /** What the user's code reported there. */
          notices: texts,
          work: z.array(workAnswer),
        }),
      ),
    }),
  ),
})

export type PlanAnswer = z.infer<typeof planAnswer>
