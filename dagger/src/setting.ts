import type { Directory, File, Secret } from "@dagger.io/dagger"

/** What the constructor was given; every builder takes it. */
export interface Setting {
  /** The repository, without what the constructor ignores. */
  readonly source: Directory
  /** The package inside of it, "." for the whole. */
  readonly path: string
  /** "toolbox" or "project": which install the runner works in where either would do. */
  readonly install: string
  readonly postgresImage: string
  readonly nodeImage: string
  readonly npmrc?: Secret
  readonly ca?: File
}
