import { vi } from "vitest"
import { parse } from "yaml"

// The module runs on Bun, whose YAML parser it uses; these tests run on Node.
vi.stubGlobal("Bun", { YAML: { parse: (text: string): unknown => parse(text) } })
