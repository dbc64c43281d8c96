import * as z from "zod/mini"
import { findManager, json } from "../project/package-manager.js"
import { foldersUpTo, inFolder, type Listing, packageKind } from "./listing.js"

/** Where the project says that its parts are; relative to the repository, with forward slashes. */
export interface ProjectPaths {
  /** The project's folder in the repository; "" where they are one. */
  readonly at: string
  readonly schema: string
  readonly migrations: string
  readonly config: string | undefined
  /** The variables that name the database, the one that migrations use first. */
  readonly variables: readonly string[]
}

/** The CI systems for which there is a pipeline; "plain" is a shell script for any other. */
export const ciSystems = ["github", "gitlab", "circleci", "jenkins", "plain"] as const

export type CiSystem = (typeof ciSystems)[number]

const text = z.optional(z.string())
const texts = z.readonly(z.array(z.string()))

/** What a look at a project has found. Paths are relative to the repository. */
export const found = z.strictObject({
  /** The project's folder in the repository; "" where they are one. */
  at: z.string(),
  manager: z.strictObject({ name: z.enum(["pnpm", "yarn", "bun", "npm"]), namedBy: text, version: text }),
  /** Whether the project is a package of a workspace. */
  isWorkspacePackage: z.boolean(),
  /** Versions as package.json has them; absent where it does not name the package. */
  ...{ prisma: text, client: text, runner: text },
  /** Whether package.json says that the migration image has no Prisma CLI ("lockstep": { "slim": true }). */
  slim: z.boolean(),
  schema: z.optional(z.strictObject({ path: z.string(), models: z.number(), provider: text })),
  migrations: z.strictObject({ path: z.string(), names: texts }),
  config: text,
  /** The variables that name the database, the one that migrations use first. */
  variables: texts,
  ci: z.readonly(z.array(z.strictObject({ system: z.enum(ciSystems), path: z.string() }))),
  /** A Helm chart, and its templates that hold a Deployment. */
  chart: z.optional(z.strictObject({ folder: z.string(), values: text, deployments: texts })),
  makefile: text,
  docker: texts,
  dagger: text,
})

export type Found = Readonly<z.infer<typeof found>>
type Chart = NonNullable<Found["chart"]>

const versions = z.object({
  dependencies: z._default(z.record(z.string(), z.string()), {}),
  devDependencies: z._default(z.record(z.string(), z.string()), {}),
  lockstep: z.catch(z.optional(z.object({ slim: z.optional(z.boolean()) })), undefined),
})

/** Looks at a repository's files. Pure: everything comes from the listing. */
export function detect(files: Listing, { at, schema, migrations, config, variables }: ProjectPaths): Found {
  const own = versions.safeParse(json(files.text(inFolder(at, "package.json"))))
  const packagesOf = (folder: string): Readonly<Record<string, string>> => {
    const { data } = versions.safeParse(json(files.text(inFolder(folder, "package.json"))))
    return { ...data?.dependencies, ...data?.devDependencies }
  }
  // At a workspace's root the project is one of its packages; in a package, the workspace's root may name Prisma.
  const folders = foldersUpTo(schema.split("/").slice(0, -1).join("/"))
  const versionOf = (name: string) => folders.map((folder) => packagesOf(folder)[name]).find((one) => one !== undefined)
  return {
    at,
    manager: findManager({ has: (path) => files.paths.includes(path), text: files.text }, foldersUpTo(at)),
    isWorkspacePackage:
      at !== "" &&
      foldersUpTo(at)
        .slice(1)
        .some((folder) => isWorkspaceRoot(files, folder)),
    ...{ prisma: versionOf("prisma"), client: versionOf("@prisma/client") },
    runner: packagesOf(at)["prisma-lockstep"],
    slim: own.data?.lockstep?.slim === true,
    schema: schemaIn(files, schema),
    migrations: { path: migrations, names: migrationsIn(files, migrations) },
    config,
    variables,
    ci: ciIn(files),
    chart: chartIn(files, at),
    makefile: nearest(files, at, ["Makefile", "GNUmakefile", "makefile"]),
    docker: files.paths.filter((path) => /(^|\/)(Dockerfile[^/]*|(docker-)?compose[^/]*\.ya?ml)$/.test(path)),
    dagger: nearest(files, at, ["dagger.json"]),
  }
}

const isWorkspaceRoot = (files: Listing, folder: string): boolean =>
  files.paths.includes(inFolder(folder, "pnpm-workspace.yaml")) ||
  packageKind(files.text(inFolder(folder, "package.json"))).hasWorkspaces

/** A file of the project, or of a folder above it. */
function nearest(files: Listing, at: string, names: readonly string[]): string | undefined {
  const candidates = foldersUpTo(at).flatMap((folder) => names.map((name) => inFolder(folder, name)))
  return candidates.find((path) => files.paths.includes(path))
}

function schemaIn(files: Listing, path: string): Found["schema"] {
  const inside = (one: string) => one === path || (one.startsWith(`${path}/`) && one.endsWith(".prisma"))
  const texts = files.paths.filter(inside).map((one) => files.text(one) ?? "")
  if (texts.length === 0) return undefined
  const text = texts.join("\n")
  return {
    path,
    models: text.match(/^\s*model\s+\w+\s*\{/gm)?.length ?? 0,
    provider: /^\s*datasource\s+\w+\s*\{[^}]*?^\s*provider\s*=\s*"([^"]+)"/m.exec(text)?.[1],
  }
}

const migrationsIn = (files: Listing, folder: string): readonly string[] =>
  files.paths.flatMap((path) =>
    path.startsWith(`${folder}/`) ? (/^([^/]+)\/migration\.sql$/.exec(path.slice(folder.length + 1))?.[1] ?? []) : [],
  )

const ciFiles: readonly (readonly [CiSystem, RegExp])[] = [
  ["github", /^\.github\/workflows\/[^/]+\.ya?ml$/],
  ["gitlab", /^\.gitlab-ci\.yml$/],
  ["circleci", /^\.circleci\/config\.yml$/],
  ["jenkins", /^Jenkinsfile$/],
  ["plain", /^ci\/migrations\.sh$/],
]

const ciIn = (files: Listing): Found["ci"] =>
  ciFiles.flatMap(([system, pattern]) =>
    files.paths.filter((path) => pattern.test(path)).map((path) => ({ system, path })),
  )

/** The chart of the project; the repository's where it has one alone. */
function chartIn(files: Listing, at: string): Chart | undefined {
  const folders = files.paths
    .filter((path) => /(^|\/)Chart\.yaml$/.test(path) && !/(^|\/)charts\/[^/]+\/charts\//.test(path))
    .map((path) => path.replace(/\/?Chart\.yaml$/, ""))
  const own = folders.filter((folder) => folder.startsWith(at))
  const [folder, ...others] = own.length > 0 ? own : folders
  if (folder === undefined || others.length > 0) return undefined
  const values = inFolder(folder, "values.yaml")
  const templates = files.paths.filter((path) => path.startsWith(`${inFolder(folder, "templates")}/`))
  return {
    folder,
    values: files.paths.includes(values) ? values : undefined,
    deployments: templates.filter((path) => /^kind:\s*Deployment\s*$/m.test(files.text(path) ?? "")),
  }
}

/** Packages of the repository that hold a Prisma schema: their folders. */
export function prismaPackages(files: Listing): readonly string[] {
  const schemas = files.paths.filter(
    (path) => path.endsWith(".prisma") && /^\s*datasource\s+\w+\s*\{/m.test(files.text(path) ?? ""),
  )
  const owners = schemas.flatMap((path) => {
    const folders = foldersUpTo(path.split("/").slice(0, -1).join("/"))
    return folders.find((folder) => files.paths.includes(inFolder(folder, "package.json"))) ?? []
  })
  return [...new Set(owners)]
}
