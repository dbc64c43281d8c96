import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { LockstepError } from "../errors.js"
import { app } from "./write.js"

const files = {
  "prisma.config.mjs":
    'export default { schema: "schema.prisma", datasource: { url: "postgresql://localhost/none" } }\n',
  "schema.prisma": 'datasource db {\n  provider = "postgresql"\n}\n',
}

/**
 * Starts Prisma's CLI from a layer alone, with a configuration and a schema to load. A package or file that this release
 * of Prisma needs and that omissions.ts leaves out is found before the image is written. Errors: L1603 it does not start.
 */
export async function checkPrismaLoads(layer: string, script: string): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "lockstep-image-")))
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    const result = await execa(process.execPath, [join(layer, app, "node_modules/prisma", script), "validate"], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        CHECKPOINT_DISABLE: "1",
        PRISMA_HIDE_UPDATE_MESSAGE: "1",
        // Without it the CLI downloads one; `validate` does not start it.
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      },
      extendEnv: false,
      reject: false,
      all: true,
    })
    if (!result.failed) return
    const missing = /Cannot find (?:module|package) '((?:@[^/']+\/)?[^/'.][^/']*)/.exec(result.all)?.[1]
    throw new LockstepError("L1603", "Prisma's CLI does not start from the files that the image would contain", {
      hint: result.all.trim().split("\n").slice(0, 12).join("\n"),
      state: "no image was written.",
      next: missing
        ? `\`lockstep image --keep ${missing}\``
        : "add the missing package with --keep PACKAGE, or leave the CLI out with --slim",
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
