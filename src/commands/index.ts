import type { Command } from "./command.js"

/** A verb's line in the help, and how to load it: only the one that was typed is loaded. */
export interface Entry {
  readonly summary: string
  readonly load: () => Promise<{ default: Command }>
}

/** Every verb, in the order of a migration's life. */
export const commands: Readonly<Record<string, Entry>> = {}
