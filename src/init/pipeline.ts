import { stringify } from "yaml"
import { packageManagers } from "../project/package-manager.js"
import type { Setting } from "./change.js"
import { daggerVersion, hasToolchain } from "./dagger.js"
import { typed } from "./package-json.js"

/** What a pipeline does with the migrations, whatever the CI. */
export interface Steps {
  /** In containers of Dagger's, or on the machine with Node and a PostgreSQL from npm. */
  readonly kind: "dagger" | "node"
  /** The project's folder in the repository; "" where they are one. */
  readonly folder: string
  /** Makes what the next lines need available. */
  readonly setup: readonly string[]
  readonly lines: readonly string[]
  /** What stops the test database, for machines that live on; undefined where there is none. */
  readonly stop: string | undefined
}

const reports = "reports"

/** The same steps for every CI: with Dagger where the project has its toolchain, otherwise with Node alone. */
export function stepsFor(setting: Setting): Steps {
  const { found, wanted } = setting
  if (wanted.dagger !== undefined || hasToolchain(setting)) {
    return {
      kind: "dagger",
      folder: "",
      setup: [
        `curl -fsSL https://dl.dagger.io/dagger/install.sh | DAGGER_VERSION=${daggerVersion} BIN_DIR="$HOME/.local/bin" sh`,
      ],
      lines: ["dagger check --progress=plain", `dagger call --progress=plain lockstep verify -o ${reports}`],
      stop: undefined,
    }
  }
  const { setup } = packageManagers[found.manager.name]
  const commands = ["test-db up --deploy", "status", "check"]
  return {
    kind: "node",
    folder: found.at,
    setup: setup ? [setup] : [],
    lines: [frozenInstall(setting), ...commands.map((words) => typed(setting, words))],
    stop: typed(setting, "test-db down"),
  }
}

/** Installs exactly what the lockfile names; Yarn renamed the flag in its second version. */
function frozenInstall({ found, files }: Setting): string {
  const { name } = found.manager
  const isNewYarn = name === "yarn" && files.paths.some((path) => /(^|\/)\.yarnrc\.yml$/.test(path))
  return isNewYarn ? "yarn install --immutable" : packageManagers[name].frozen
}

const heading =
  "Every migration is applied to a fresh PostgreSQL, and what the branch changes is checked. Needs no secret."

const yaml = (value: object): string => stringify(value, { lineWidth: 0, nullStr: "" }).trimEnd()

/** .github/workflows/migrations.yml */
export function githubWorkflow(steps: Steps, { found }: Pick<Setting, "found">): string {
  const { name, version } = found.manager
  const brings = {
    pnpm: [{ uses: "pnpm/action-setup@v4", ...(version === undefined ? { with: { version: 10 } } : {}) }],
    bun: [{ uses: "oven-sh/setup-bun@v2" }],
    yarn: [{ run: "corepack enable" }],
    npm: [],
  }[name]
  const cache = name === "bun" ? {} : { cache: name }
  const before =
    steps.kind === "node"
      ? [...brings, { uses: "actions/setup-node@v6", with: { "node-version": 24, ...cache } }]
      : [
          {
            name: "Install Dagger",
            run: `${steps.setup.join("\n")}\necho "$HOME/.local/bin" >> "$GITHUB_PATH"\n`,
          },
        ]
  const job = {
    "runs-on": "ubuntu-latest",
    ...(steps.folder === "" ? {} : { defaults: { run: { "working-directory": steps.folder } } }),
    // The checks compare with the branch that the pull request is merged into.
    steps: [
      { uses: "actions/checkout@v6", with: { "fetch-depth": 0 } },
      ...before,
      ...steps.lines.map((run) => ({ run })),
    ],
  }
  return `# ${heading}\n${yaml({
    name: "migrations",
    on: { pull_request: null, push: { branches: ["main", "master"] } },
    permissions: { contents: "read" },
    jobs: { migrations: job },
  })}\n`
}

const inFolderOf = ({ folder }: Steps): readonly string[] => (folder === "" ? [] : [`cd ${folder}`])

/** A job for .gitlab-ci.yml, in a file that it includes. */
export function gitlabJob(steps: Steps, stage: string | undefined): string {
  const inContainers = {
    image: "docker:29-cli",
    services: ["docker:29-dind"],
    variables: {
      DOCKER_HOST: "tcp://docker:2376",
      DOCKER_TLS_VERIFY: "1",
      DOCKER_TLS_CERTDIR: "/certs",
      DOCKER_CERT_PATH: "/certs/client",
    },
    before_script: ["apk add curl", ...steps.setup, 'export PATH="$HOME/.local/bin:$PATH"'],
  }
  const job = {
    ...(stage === undefined ? {} : { stage }),
    ...(steps.kind === "dagger" ? inContainers : { image: "node:24", variables: { GIT_DEPTH: 0 } }),
    script: [...(steps.kind === "dagger" ? [] : nodeSetup(steps)), ...inFolderOf(steps), ...steps.lines],
    ...(steps.kind === "dagger" ? { artifacts: { paths: [reports] } } : {}),
  }
  return `# ${heading}\n${yaml({ migrations: job })}\n`
}

/** Node's image of that version brings no Corepack any more. */
const nodeSetup = ({ setup }: Steps): readonly string[] =>
  setup.map((line) => (line === "corepack enable" ? `npm install --global corepack && ${line}` : line))

/** A job for CircleCI's configuration. */
export function circleciJob(steps: Steps): object {
  const machine = { machine: { image: "ubuntu-2404:current" } }
  const before = steps.kind === "dagger" ? steps.setup : steps.setup.map((line) => `sudo ${line}`)
  const path = steps.kind === "dagger" ? { environment: { BASH_ENV: "/home/circleci/.bashrc" } } : {}
  return {
    ...(steps.kind === "dagger" ? machine : { docker: [{ image: "cimg/node:lts" }] }),
    ...path,
    steps: ["checkout", { run: [...before, ...inFolderOf(steps), ...steps.lines].join("\n") }],
  }
}

/** Whatever fails, the test database is stopped. */
const trapped = ({ stop }: Steps): readonly string[] => (stop === undefined ? [] : [`trap '${stop}' EXIT`])

/** The stage of a Jenkinsfile. */
export function jenkinsStage(steps: Steps, indent: string): string {
  const setup = steps.kind === "node" ? nodeSetup(steps) : [...steps.setup, 'PATH="$HOME/.local/bin:$PATH"']
  const inside = [...inFolderOf(steps), ...setup, ...trapped(steps), ...steps.lines].map((line) =>
    line.replaceAll("'", '"'),
  )
  return [
    "stage('Migrations') {",
    ...(steps.kind === "node" ? ["  agent { docker { image 'node:24' } }"] : []),
    "  steps {",
    "    sh '''",
    ...inside.map((line) => `      ${line}`),
    "    '''",
    "  }",
    "}",
  ]
    .map((line) => indent + line)
    .join("\n")
}

/** A Jenkinsfile for a project that has none. */
export const jenkinsfile = (steps: Steps): string => `// ${heading}
pipeline {
  agent ${steps.kind === "dagger" ? "{ label 'dagger' }" : "none"}
  stages {
${jenkinsStage(steps, "    ")}
  }
}
`

/** A script for any other CI. */
export const shellScript = (steps: Steps): string =>
  [
    "#!/bin/sh",
    `# ${heading}`,
    "set -eu",
    `cd "$(dirname "$0")/..${steps.folder === "" ? "" : `/${steps.folder}`}"`,
    ...(steps.kind === "dagger" ? [...steps.setup, 'PATH="$HOME/.local/bin:$PATH"'] : []),
    ...trapped(steps),
    ...steps.lines,
    "",
  ].join("\n")
