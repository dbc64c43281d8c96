import { execa } from "execa"

/** A command to time as a whole process. `prepare` runs before each run, untimed. */
export interface Contender {
  readonly name: string
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly prepare?: () => Promise<void>
}

export interface Timing {
  readonly name: string
  readonly medianMs: number
  readonly minMs: number
  readonly maxMs: number
}

/** Times contenders in turn (A B C A B C …), so that a machine that slows down slows all of them; one warm-up first. */
export async function race(contenders: readonly Contender[], runs: number): Promise<readonly Timing[]> {
  const samples = new Map(contenders.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round <= runs; round++) {
    for (const contender of contenders) {
      const ms = await time(contender)
      if (round > 0) samples.get(contender.name)?.push(ms)
    }
  }
  return [...samples].map(([name, values]) => summary(name, values))
}

async function time({ name, command, env, cwd, prepare }: Contender): Promise<number> {
  await prepare?.()
  const [program = "", ...operands] = command
  const result = await execa(program, operands, {
    env: { ...env },
    ...(cwd ? { cwd } : {}),
    stdin: "ignore",
    reject: false,
  })
  if (result.failed) throw new Error(`${name} failed:\n${result.stdout}\n${result.stderr}`)
  return result.durationMs
}

function summary(name: string, values: readonly number[]): Timing {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  return { name, medianMs: at(Math.floor(sorted.length / 2)), minMs: at(0), maxMs: at(sorted.length - 1) }
}

/**
 * The largest resident memory of a Node program, in MiB, as its own process reports it when it ends. Linux starts the
 * count of getrusage with the parent's memory, so there it is what the kernel says of the program itself.
 */
export async function peakMemory({ command: [, ...operands], env, cwd, prepare }: Contender): Promise<number> {
  await prepare?.()
  const preload = `--import=data:text/javascript,${encodeURIComponent(reportOfMemory)}`
  const { stderr } = await execa(process.execPath, [preload, ...operands], {
    env: { ...env },
    ...(cwd ? { cwd } : {}),
    stdin: "ignore",
  })
  return Number(/^peak (\d+)$/m.exec(stderr)?.[1]) / 1024
}

const reportOfMemory = `import { readFileSync } from "node:fs"
process.on("exit", () => {
  const kB = process.platform === "linux"
    ? /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]
    : process.resourceUsage().maxRSS
  process.stderr.write("\\npeak " + kB + "\\n")
})`
