import { type DeployResult, type DeploySettings, defaultSettings } from "../deploy/context.js"
import { deploy } from "../deploy/deploy.js"
import type { Folder } from "../history/folder.js"
import type { Target } from "../project/database-url.js"
import { deployReporter, verdict } from "../report/deploy.js"
import type { Output } from "./output.js"

export interface ApplyPending {
  readonly target: Pick<Target, "url">
  readonly folder: Folder
  readonly output: Output
  readonly signal: AbortSignal
  /** Whether the verdict is kept back where nothing was pending. */
  readonly quiet: "nothing-to-do" | "never"
  readonly settings?: DeploySettings
}

/** Deploys as a step of another command: everything is narration, as that command has an answer of its own. */
export async function applyPending({
  target,
  folder,
  output,
  signal,
  quiet,
  settings = { ...defaultSettings, allowEmpty: true },
}: ApplyPending): Promise<DeployResult> {
  const narration: Output = { ...output, json: false, object: () => undefined }
  const result = await deploy({
    url: target.url,
    folder,
    settings,
    applicationName: "lockstep",
    signal,
    onEvent: deployReporter(narration),
  })
  if (quiet === "never" || result.applied.length > 0) output.say(verdict(result))
  return result
}
