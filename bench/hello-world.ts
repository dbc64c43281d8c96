import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { execa } from "execa"

const source = `import { func, object } from "@dagger.io/dagger"

@object()
export class Hello {
  /** Says hello; its answer is cached. */
  @func()
  hello(): string {
    return "hello"
  }

  /** Says hello, run at every call. */
  @func({ cache: "never" })
  helloAgain(): string {
    return "hello"
  }
}
`

/** Writes the smallest module of the same runtime, for comparison; gives its folder. */
export async function helloWorld(folder: string): Promise<string> {
  await mkdir(join(folder, "src"), { recursive: true })
  const manifest = { type: "module", dependencies: { typescript: "5.9.3" }, dagger: { runtime: "bun" } }
  const module = { name: "hello", engineVersion: "v0.21.8", sdk: { source: "typescript" } }
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest))
  await writeFile(join(folder, "dagger.json"), JSON.stringify(module))
  await writeFile(join(folder, "src/index.ts"), source)
  await execa("git", ["init", "--quiet"], { cwd: folder })
  return folder
}
