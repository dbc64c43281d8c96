import type { Directory, File, Secret } from "@dagger.io/dagger"

/** Which packages the runner works among, where either would do. */
export enum Install {
  /** Prisma and prisma-lockstep alone, which is fast. */
  Toolbox = "toolbox",
  /** The project's own install, for a prisma.config that imports its packages. */
  Project = "project",
}

/** What the constructor was given; every builder takes it. */
export interface Settings {
  /** The repository, without what git ignores. */
  readonly source: Directory
  /** The package inside of it, "." for the whole. */
  readonly path: string
  readonly install: Install
  readonly postgresImage: string
  readonly nodeImage: string
  readonly npmrc?: Secret
  readonly ca?: File
}

/** The toolbox's packages are beside the project, so that Node finds them from inside of it. */
export const toolboxDir = "/lockstep"
export const packagesDir = `${toolboxDir}/node_modules`
export const projectDir = `${toolboxDir}/project`

/** The package's folder inside a container. */
export const packageDir = (path: string): string => (path === "." ? projectDir : `${projectDir}/${path}`)

/** A file or pattern of the package inside the repository. */
export const inPackage = (path: string, name: string): string => (path === "." ? name : `${path}/${name}`)
