import type { Changeset, Container } from "@dagger.io/dagger"
import { project } from "./places.js"
import type { Setting } from "./setting.js"

/** Which of a command's files count: all of them, or those that git does not ignore. */
export type Kept = "all" | "committed"

/** What a command added or changed in the project, as a change of the repository. */
export function changed({ source }: Setting, before: Container, after: Container, kept: Kept = "all"): Changeset {
  const exclude = ["**/node_modules", "**/dist", "**/.lockstep"]
  const files = (container: Container) =>
    container.directory(project).filter({ exclude, gitignore: kept === "committed" })
  return source.withDirectory(".", files(before).diff(files(after))).changes(source)
}
