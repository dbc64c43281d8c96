import { setTimeout as pause } from "node:timers/promises"

/** Waits for a condition: until `look` gives something else than undefined or false. Fails after some seconds. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  seconds = 30,
): Promise<T> {
  const giveUpAt = Date.now() + seconds * 1000
  while (Date.now() < giveUpAt) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    await pause(20)
  }
  throw new Error(`in ${seconds} s this did not come: ${what}`)
}
