const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const drops = new Set<() => Promise<void>>()
let listening: (() => void) | undefined
let owned = false

/** For a process boundary that listens to signals itself and calls `dropShadows` before it exits. */
export function ownSignals(): void {
  owned = true
}

/**
 * Runs `drop` when the process is told to end, and ends it after that with the signal's exit code.
 * The answer takes it off the list again; with an empty list the process keeps its usual signal behaviour.
 */
export function dropOnSignal(drop: () => Promise<void>): () => void {
  drops.add(drop)
  if (!owned) listening ??= listen()
  return () => {
    drops.delete(drop)
    if (drops.size > 0) return
    listening?.()
    listening = undefined
  }
}

/** Drops every shadow database that this process still has: for a signal handler that exits by itself. */
export async function dropShadows(): Promise<void> {
  await Promise.allSettled([...drops].map((drop) => drop()))
}

function listen(): () => void {
  const end = (signal: keyof typeof exitCodes): void => {
    void dropShadows().finally(() => process.exit(exitCodes[signal]))
  }
  for (const signal of signals) process.on(signal, end)
  return () => {
    for (const signal of signals) process.off(signal, end)
  }
}
