import { setFlagsFromString } from "node:v8"

/**
 * While the WebAssembly is loaded, V8 compiles all of it once with its quick compiler. Left to itself it compiles the
 * busy functions again with the optimising one, in other threads: for a run of a second that costs three times the CPU
 * and 40 MB (Node 24: 500 MB), and is ready when the work is done. Afterwards the flags have their defaults again.
 */
export async function compiledQuickly<T>(load: () => Promise<T>): Promise<T> {
  // A later V8 may know these flags no longer, and says so on stderr.
  if (Number.parseInt(process.versions.node, 10) > 24) return await load()
  for (const flag of flags) setFlagsFromString(`--no-${flag}`)
  // Node 24 ends a process that has nothing to do but wait for the compiler.
  const alive = setInterval(() => {}, 60_000)
  try {
    return await load()
  } finally {
    clearInterval(alive)
    for (const flag of flags) setFlagsFromString(`--${flag}`)
  }
}

const flags = ["wasm-tier-up", "wasm-dynamic-tiering", "wasm-lazy-compilation"]
