import { parseDocument } from "yaml"
import { type Change, create, nothing, type Proposal, rewrite, type Setting } from "./change.js"
import type { CiSystem } from "./detect.js"
import {
  circleciJob,
  githubWorkflow,
  gitlabJob,
  jenkinsfile,
  jenkinsStage,
  type Steps,
  shellScript,
  stepsFor,
} from "./pipeline.js"
import { addToYaml, type YamlAddition } from "./yaml-text.js"

/** A pipeline for the CI that the project has, or that was asked for; nothing where one runs Lockstep already. */
export function proposeCi(setting: Setting): Proposal {
  const { found, wanted, files } = setting
  const [first] = found.ci
  const system = wanted.ci ?? first?.system
  if (system === undefined) {
    return nothing(
      "no CI was found: --ci github, gitlab, circleci, jenkins or plain writes a pipeline that verifies the migrations",
    )
  }
  const own = found.ci.filter((one) => one.system === system).map(({ path }) => path)
  const included = system === "gitlab" ? [gitlabFile] : []
  if ([...own, ...included].some((path) => /\blockstep\b/.test(files.text(path) ?? ""))) return nothing()
  return writers[system](setting, stepsFor(setting))
}

type Writer = (setting: Setting, steps: Steps) => Proposal

const gitlabFile = ".gitlab/migrations.yml"

const writers: Readonly<Record<CiSystem, Writer>> = {
  github: (setting, steps) => create(setting.files, ".github/workflows/migrations.yml", githubWorkflow(steps, setting)),
  gitlab: proposeGitlab,
  circleci: proposeCircleci,
  jenkins: ({ files }, steps) =>
    files.text("Jenkinsfile") === undefined
      ? create(files, "Jenkinsfile", jenkinsfile(steps))
      : nothing(`Jenkinsfile is yours and stays; a stage for the migrations is:\n${jenkinsStage(steps, "  ")}`),
  plain: ({ files }, steps) => {
    const { changes, notes } = create(files, "ci/migrations.sh", shellScript(steps))
    return { changes: changes.map((change): Change => ({ ...change, executable: true })), notes }
  },
}

/** A file of its own, which .gitlab-ci.yml includes. */
function proposeGitlab({ files }: Setting, steps: Steps): Proposal {
  const path = ".gitlab-ci.yml"
  const text = files.text(path)
  const stages: unknown = text === undefined ? undefined : parseDocument(text).toJS()?.stages
  const names = Array.isArray(stages) ? stages.map(String) : ["test"]
  const stage = names.includes("test") ? undefined : names[0]
  const job = create(files, gitlabFile, gitlabJob(steps, stage))
  const include = { local: gitlabFile }
  const added = withAdditions(text ?? "", [{ path: [], key: "include", value: [include] }])
  if (added === undefined || /^include:/m.test(text ?? "")) {
    return {
      changes: job.changes,
      notes: [`${path} is yours and stays; below its include: add  - local: ${gitlabFile}`],
    }
  }
  return { changes: [...job.changes, ...rewrite(files, path, added).changes], notes: [] }
}

/** A job and a workflow of their own in CircleCI's one file. */
function proposeCircleci({ files }: Setting, steps: Steps): Proposal {
  const path = ".circleci/config.yml"
  const text = files.text(path) ?? "version: 2.1\n"
  const addition = (key: string, value: unknown): YamlAddition =>
    new RegExp(`^${key}:`, "m").test(text)
      ? { path: [key], key: "migrations", value }
      : { path: [], key, value: { migrations: value } }
  const jobs = { jobs: ["migrations"] }
  const added = withAdditions(text, [addition("jobs", circleciJob(steps)), addition("workflows", jobs)])
  if (added !== undefined) return rewrite(files, path, added)
  return nothing(
    `${path} is left as it is: it cannot be read as YAML; \`lockstep init --ci plain\` writes the steps as a script`,
  )
}

const withAdditions = (text: string, additions: readonly YamlAddition[]): string | undefined =>
  additions.reduce<string | undefined>((before, one) => before && addToYaml(before, one), text || "# GitLab CI\n")
