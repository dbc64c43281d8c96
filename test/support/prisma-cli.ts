import { dirname, join } from "node:path"
import { execa } from "execa"
import { cliPath, environment, repository } from "./cli.js"
import { createProject, type ProjectFiles, type TestProject } from "./project.js"

/** The schema engine as it ships. */
export const enginePath = join(dirname(cliPath), "schema-engine.js")

const prismaPath = join(repository, "node_modules/prisma/build/index.js")

/** What V8 optimises while Prisma's CLI starts is ready when that ends: without it a start takes a third less. */
const node = [process.execPath, "--no-opt", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering"] as const

/** Plain values, so that no package has to be found from the temporary folder. */
const config = `export default {
  schema: "prisma/schema.prisma",
  datasource: { url: process.env.DATABASE_URL },
}
`

/** A project that Prisma's own CLI works in. */
export function createPrismaProject(files: ProjectFiles): TestProject {
  return createProject({ ...files, files: { "prisma.config.mjs": config, ...files.files } })
}

export interface PrismaOptions {
  readonly project: TestProject
  readonly url: string
  readonly input?: string
  /** Another Prisma than this repository's. */
  readonly cli?: string
  /** Another schema engine than this repository's. */
  readonly engine?: string
}

const variables = (url: string, engine = enginePath): Record<string, string> =>
  environment({
    DATABASE_URL: url,
    // Prisma 5 wants one, which its migrations do not start.
    PRISMA_QUERY_ENGINE_LIBRARY: enginePath,
    PRISMA_SCHEMA_ENGINE_BINARY: engine,
    CHECKPOINT_DISABLE: "1",
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
    NO_COLOR: "1",
  })

/** Runs Prisma's CLI over the shim, without a terminal; never rejects. */
export function prisma(args: readonly string[], { project, url, input = "", cli = prismaPath, engine }: PrismaOptions) {
  const [program, ...flags] = node
  return execa(program, [...flags, cli, ...args], {
    cwd: project.root,
    env: variables(url, engine),
    extendEnv: false,
    input,
    reject: false,
    all: true,
  })
}

/** The same as in a shell's pipeline: its stderr is a pipe, where execa gives it a socket. All of it is in stdout. */
export function prismaInPipeline(args: readonly string[], { project, url, cli = prismaPath }: PrismaOptions) {
  return execa("sh", ["-c", '"$@" 2>&1 | cat', "sh", ...node, cli, ...args], {
    cwd: project.root,
    env: variables(url),
    extendEnv: false,
    input: "",
    reject: false,
  })
}

/** The same on a terminal, which `migrate dev` wants; util-linux's `script` makes one. */
export function prismaOnTerminal(args: readonly string[], { project, url, cli = prismaPath }: PrismaOptions) {
  const command = [...node, cli, ...args].map((word) => `'${word}'`).join(" ")
  return execa("script", ["-qec", command, "/dev/null"], {
    cwd: project.root,
    env: variables(url),
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    all: true,
  })
}
