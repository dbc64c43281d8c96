/** A verification: its steps, and how long it took as a whole. The steps ran side by side. */
export interface Report {
  readonly passed: boolean
  readonly durationMs: number
  readonly steps: readonly Step[]
}

/** What became of one step. */
export interface Step {
  readonly name: string
  readonly state: "passed" | "failed" | "skipped"
  /** What the step printed. */
  readonly output: string
  readonly durationMs: number
}

/** Runs a step and times it; a step from the cache takes next to nothing. */
export async function step(name: string, run: () => Promise<string>): Promise<Step> {
  const started = performance.now()
  const done = (state: Step["state"], output: string): Step => ({
    name,
    state,
    output: output.trim(),
    durationMs: Math.round(performance.now() - started),
  })
  try {
    return done("passed", await run())
  } catch (error) {
    return done("failed", error instanceof Error ? error.message : String(error))
  }
}

/** A step that cannot run because an earlier one failed. */
export const skipped = (name: string): Step => ({ name, state: "skipped", output: "", durationMs: 0 })

/** The report for programs. */
export const asJson = (report: Report): string =>
  `${JSON.stringify({ schema: "lockstep.verify/1", ...report }, null, 2)}\n`

/** The report as JUnit's XML, for a CI's own pages. */
export function asJunit({ steps, durationMs: total }: Report): string {
  const count = (state: Step["state"]) => steps.filter((one) => one.state === state).length
  const cases = steps.map(({ name, state, output, durationMs }) => {
    const body = { passed: "<system-out>", failed: '<failure message="failed">', skipped: "<skipped>" }[state]
    const end = body.replace(/^<([\w-]+).*/, "</$1>")
    return `    <testcase classname="lockstep.verify" name="${escaped(name)}" time="${durationMs / 1000}">${body}${escaped(output)}${end}</testcase>\n`
  })
  const head = `tests="${steps.length}" failures="${count("failed")}" skipped="${count("skipped")}" time="${total / 1000}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n  <testsuite name="lockstep verify" ${head}>\n${cases.join("")}  </testsuite>\n</testsuites>\n`
}

/** The report for people: a line a step, and what the failed ones printed. */
export const asText = ({ steps }: Report): string =>
  steps
    .map(({ name, state, output }) => {
      const line = `${{ passed: "  ok", failed: "FAIL", skipped: "skip" }[state]}  ${name}`
      return state === "failed" ? `${line}\n${output}` : line
    })
    .join("\n")

/** XML's own characters, and those that XML cannot hold at all. */
const escaped = (text: string): string =>
  text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "")
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
