import { setFlagsFromString } from "node:v8"

/*
 * V8 compiles WebAssembly with a quick compiler and, left to itself, its busy functions once more with the optimising
 * one, in other threads. For a run of a second that costs three times the CPU and 40 MB (Node 24: 500 MB), and is ready
 * when the work is done.
 */

const again = ["wasm-tier-up", "wasm-dynamic-tiering"]
const later = "wasm-lazy-compilation"
/** A later V8 may not have these flags any more, and prints a warning about that. */
const isKnown = Number.parseInt(process.versions.node, 10) <= 24
let forGood = false

/** Does without the optimising compiler until the process ends: for a process that is Lockstep's own. */
export function compileQuicklyForGood(): void {
  if (isKnown) forbid(again)
  forGood = true
}

/**
 * Does without it for what is loaded here alone, for which all of it is compiled at once. That takes 12 MB more, but
 * afterwards the flags have their defaults again, for the other WebAssembly of a process that only imports Lockstep.
 */
export async function compiledQuickly<T>(load: () => Promise<T>): Promise<T> {
  if (forGood || !isKnown) return await load()
  forbid([...again, later])
  // Node 24 ends a process that has nothing to do but wait for the compiler.
  const alive = setInterval(() => {}, 60_000)
  try {
    return await load()
  } finally {
    clearInterval(alive)
    for (const flag of [...again, later]) setFlagsFromString(`--${flag}`)
  }
}

function forbid(flags: readonly string[]): void {
  for (const flag of flags) setFlagsFromString(`--no-${flag}`)
}
