import { LockstepError } from "../errors.js"
import type { Check, Common, Problem, Skip } from "./check.js"
import { type Exceptions, exceptionsIn } from "./exceptions.js"
import { type Accepted, docsOf, type Finding, findingsOf, type Result, type Severity } from "./finding.js"
import { checks } from "./registry.js"
import { type Given, type Need, type Origin, type Provide, provider, type Resources } from "./resources.js"
import { type CheckSettings, knownReason, readCheckSettings, selected } from "./settings.js"

/** What to check. */
export interface CheckRequest extends Origin {
  /** Ids or families; none: all that are not switched off. One that is named runs although it is switched off. */
  readonly ids: readonly string[]
  readonly signal: AbortSignal
  /** Receives each result as soon as it is there. */
  readonly onResult?: (result: Result) => void
  /** Receives what the checks were given, when they are done and before it is closed. */
  readonly onEnd?: (given: Given) => Promise<void>
}

/**
 * Runs the checks side by side. The results are in the registry's order, whichever is ready first.
 * Errors: L1901 there is no such check, L1902 wrong settings.
 */
export async function runChecks(request: CheckRequest): Promise<readonly Result[]> {
  const settings = settingsOf(request)
  const wanted = chosen(request, settings)
  const { provide, given, close } = provider(request)
  try {
    const exceptions = await exceptionsOf(provide)
    const failures = new Map<Finding, string>()
    const running = wanted.map(async (check) => {
      const result = await resultOf(check, { request, settings, provide, exceptions, failures })
      request.onResult?.(result)
      return result
    })
    await Promise.allSettled(running)
    await request.onEnd?.(given)
    return withoutCovered(saidOnce(await Promise.all(running), failures), wanted)
  } finally {
    await close()
  }
}

/**
 * Corrects what can be corrected mechanically, one check after another, each on the folder that the last one left.
 * Returns what was done, one line each. Errors: L1901, L1902.
 */
export async function fixProblems(request: CheckRequest): Promise<readonly string[]> {
  const settings = settingsOf(request)
  const done: string[] = []
  for (const check of chosen(request, settings).filter(({ id }) => fixable.has(id))) {
    const { provide, close } = provider(request)
    const outcome = await outcomeOf(check, { request, settings, provide }).finally(close)
    if ("skip" in outcome) continue
    for (const { fix } of outcome) if (fix !== undefined) done.push(...(await fix()))
  }
  return done
}

/** The checks whose problems may have a mechanical correction. */
const fixable: ReadonlySet<string> = new Set(checks.filter((one) => one.fixes).map(({ id }) => id))

const settingsOf = ({ project }: CheckRequest): CheckSettings => readCheckSettings(project.root, ids)

const ids = checks.map(({ id }) => id)

function chosen({ ids: named }: CheckRequest, { levelOf }: CheckSettings): readonly Check[] {
  const unknown = named.filter((name) => selected(ids, name).length === 0)
  if (unknown.length > 0) {
    throw new LockstepError("L1901", `there is no check ${unknown.join(", ")}`, {
      hint: `The checks are:\n${ids.map((id) => `  ${id}`).join("\n")}`,
      state: "nothing was touched.",
      next: "name a check or a family of them, such as `lockstep check history`",
    })
  }
  const wanted = new Set(named.flatMap((name) => selected(ids, name)))
  return checks.filter((check) => (named.length > 0 ? wanted.has(check.id) : levelOf(check) !== "off"))
}

async function exceptionsOf(provide: Provide): Promise<Exceptions> {
  const folder = await provide("folder")
  return exceptionsIn(folder.state === "available" ? folder.value.migrations : [])
}

/** Where two checks know of the same thing, the one that knows it better decides. */
function withoutCovered(results: readonly Result[], ran: readonly Check[]): readonly Result[] {
  const skipped = new Set(results.flatMap(({ state, check }) => (state === "skipped" ? [check] : [])))
  const covered = new Set(ran.filter(({ id }) => !skipped.has(id)).flatMap(({ covers = [] }) => covers))
  return results.map((result) => {
    if (result.state !== "failed" && result.state !== "warned") return result
    const findings = result.findings.filter(({ rule }) => rule === undefined || !covered.has(rule))
    if (findings.length > 0) return { ...result, findings }
    const { findings: _, ...rest } = result
    return { ...rest, state: "passed" }
  })
}

interface Running {
  readonly request: CheckRequest
  readonly settings: CheckSettings
  readonly provide: Provide
  readonly exceptions: Exceptions
  /** Receives the findings that say why a check could not run, each with what is the same for all that say the same. */
  readonly failures: Map<Finding, string>
}

async function resultOf(check: Check, running: Running): Promise<Result> {
  const { id, title } = check
  const started = performance.now()
  const outcome = await outcomeOf(check, running)
  if ("skip" in outcome) return { state: "skipped", check: id, title, reason: outcome.skip }
  const level = running.settings.levelOf(check)
  const findings: Finding[] = []
  const accepted: Accepted[] = []
  const options = running.settings.optionsOf(id)
  for (const problem of outcome) {
    const known = problem.object === undefined ? undefined : knownReason(options, problem.object)
    const exception = known === undefined ? await running.exceptions(id, problem) : { reason: known }
    const found = findingOf(check, problem, level === "off" ? check.level : level)
    const reason = unrun.get(problem)
    if (reason !== undefined) running.failures.set(found, reason)
    if (exception?.reason) accepted.push({ reason: exception.reason, finding: found })
    else findings.push(exception ? { ...found, message: `${found.message} ${withoutReason(id)}` } : found)
  }
  const ran = { check: id, title, durationMs: Math.round(performance.now() - started), accepted }
  if (findings.length === 0) return { state: "passed", ...ran }
  return { state: findings.some(({ severity }) => severity === "error") ? "failed" : "warned", ...ran, findings }
}

const withoutReason = (id: string): string =>
  `The exception in the file has no effect without a reason: "-- lockstep-ignore ${id}: why".`

/** Runs a check where what it needs is there. What it throws as a LockstepError is its finding. */
async function outcomeOf(
  check: Check,
  { request, settings, provide }: Omit<Running, "exceptions" | "failures">,
): Promise<readonly Problem[] | Skip> {
  const { project, signal } = request
  const common: Common = { project, signal, options: settings.optionsOf(check.id) }
  const needed = await Promise.all(check.needs.map((need) => gathered(need, provide)))
  const alternatives = await Promise.all(check.needsOneOf.map((need) => gathered(need, provide)))
  const none = alternatives.length > 0 && alternatives.every(({ resource }) => resource === undefined)
  const missing = [...needed.filter(({ resource }) => resource === undefined), ...(none ? alternatives : [])]
  const errors = missing.flatMap(({ error }) => error ?? [])
  if (errors.length > 0) return [...new Set(errors)].map(asProblem)
  if (missing.length > 0) return { skip: [...new Set(missing.flatMap(({ why }) => why ?? []))].join("; ") }
  const given: Common & Partial<Resources> = Object.assign(
    { ...common },
    ...[...needed, ...alternatives].map(({ resource }) => resource ?? {}),
  )
  try {
    return await check.run(given)
  } catch (error) {
    if (!(error instanceof LockstepError) || signal.aborted) throw error
    const why = lackingOf(error)
    return why === undefined ? [asProblem(error)] : { skip: why }
  }
}

/** What only another scratch server has is no fault of the branch. */
const lackingOf = ({ code, message, details }: LockstepError): string | undefined =>
  code === "L1409" ? `${message}: ${details.next}` : undefined

interface Gathered {
  /** Under its name; undefined where it is missing. */
  readonly resource?: Partial<Resources>
  readonly why?: string
  readonly error?: LockstepError
}

async function gathered<N extends Need>(need: N, provide: Provide): Promise<Gathered> {
  const found = await provide(need)
  if (found.state === "available") return { resource: { [need]: found.value } }
  if (found.state === "absent") return { why: found.why }
  const why = lackingOf(found.error)
  return why === undefined ? { error: found.error } : { why }
}

/** Problems that say why a check could not run, and what it is; a history that cannot be replayed is one thing, whoever replays it. */
const unrun = new WeakMap<Problem, string>()

function asProblem({ code, message, details }: LockstepError): Problem {
  const { file, line, column, hint, next } = details
  const problem = { message: hint === undefined ? message : `${message}\n${hint}`, file, line, column, next }
  unrun.set(problem, code === "L1406" ? code : message)
  return problem
}

/** Why checks could not run is said once for all of them: by the first one for which it is an error. */
function saidOnce(results: readonly Result[], failures: ReadonlyMap<Finding, string>): readonly Result[] {
  const all = findingsOf(results).filter((one) => failures.has(one))
  const sayer = (finding: Finding): Finding | undefined => {
    const same = all.filter((one) => failures.get(one) === failures.get(finding))
    const errors = same.filter(({ severity }) => severity === "error")
    return errors.find(({ line }) => line !== undefined) ?? errors[0] ?? same[0]
  }
  return results.map((result) => {
    if (result.state !== "failed" && result.state !== "warned") return result
    const findings = result.findings.filter((one) => !failures.has(one) || sayer(one) === one)
    if (findings.length > 0) return { ...result, findings }
    const reasons = result.findings.map((one) => `${one.message.split("\n")[0]} (see ${sayer(one)?.check})`)
    return { state: "skipped", check: result.check, title: result.title, reason: reasons.join("; ") }
  })
}

function findingOf({ id, title }: Check, { fix, atMost, ...problem }: Problem, level: Severity): Finding {
  const file = problem.file?.replaceAll("\\", "/")
  return { check: id, severity: atMost ?? level, title, ...problem, file, fixable: fix !== undefined, docs: docsOf(id) }
}
