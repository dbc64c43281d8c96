/**
 * Bun gives up on a request after five minutes without an answer. The engine answers when a command has ended, and a
 * deploy may take hours. Source: Bun's documentation of fetch, "timeout".
 */
const impatient = globalThis.fetch
const patience: RequestInit & { readonly timeout: false } = { timeout: false }

globalThis.fetch = (input, init) => impatient(input, { ...init, ...patience })
