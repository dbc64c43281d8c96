import type { Command } from "./command.js"

/** A verb's line in the help, and how to load it: only the one that was typed is loaded. */
export interface Entry {
  readonly summary: string
  readonly load: () => Promise<{ default: Command }>
}

/** Every verb, in the order of a migration's life. */
export const commands: Readonly<Record<string, Entry>> = {
  "test-db": { summary: "start, stop or find the project's test PostgreSQL", load: () => import("./test-db.js") },
  deploy: { summary: "apply the pending migrations", load: () => import("./deploy.js") },
  status: { summary: "show what is applied and what is pending", load: () => import("./status.js") },
}
