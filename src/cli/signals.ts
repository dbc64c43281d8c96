import { constants } from "node:os"

const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** Longer than cancelling a statement takes, shorter than the 2 s after which some orchestrators kill the process. */
const deadlineMs = 1800

/**
 * Listens for the signals that end this process; nothing else does. The first one aborts the returned signal with its
 * name as the reason and drops the scratch databases. The process then has until the deadline to end by itself, and a
 * second signal ends it at once. Where `isIdle`, the first one ends it with exit code 0.
 */
export function abortOnSignals(isIdle: () => boolean): AbortSignal {
  const interrupted = new AbortController()
  for (const name of names) {
    const end = () => process.exit(codeOf(name))
    process.on(name, async () => {
      if (interrupted.signal.aborted) end()
      const isInterrupted = !isIdle()
      if (isInterrupted) interrupted.abort(name)
      setTimeout(end, deadlineMs).unref()
      const { dropScratchDatabases } = await import("../scratch/database.js")
      const dropped = await dropScratchDatabases()
      if (!isInterrupted) process.exit(0)
      // What used a scratch database has nothing left to work on.
      if (dropped) end()
    })
  }
  return interrupted.signal
}

/** The exit code of a process that a signal interrupted; undefined where none did. */
export function interruptedCode({ reason }: AbortSignal): number | undefined {
  const name = names.find((each) => each === reason)
  return name && codeOf(name)
}

const codeOf = (name: (typeof names)[number]): number => 128 + constants.signals[name]
