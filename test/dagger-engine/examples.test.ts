import { join } from "node:path"
import { expect, test } from "vitest"
import { call } from "./dagger.js"
import { createOtherProject } from "./other-project.js"

test("the examples, a module that depends on this one, work on another project", async () => {
  const project = await createOtherProject()
  const examples = ["-m", "./toolchains/lockstep/dagger/examples/typescript"]
  const here = { cwd: project.root }
  try {
    expect(await call([...examples, "lockstep-tables", "--source=."], here)).toContain("| Customer ")
    const path = join(project.root, "report")
    await call([...examples, "lockstep-report", "--source=.", "export", `--path=${path}`], here)
    expect(
      await call([...examples, "lockstep-report", "--source=.", "file", "--path=verify.txt", "contents"], here),
    ).toMatch(/^ {2}ok {2}apply$/m)
  } finally {
    project.drop()
  }
})
