import { describe, expect, test } from "vitest"
import { kebab, readCore, readModule } from "./ci-api.js"
import { problemsOf, wordsOf } from "./ci-command-line.js"
import { daggerLines } from "./ci-lines.js"

const source = `
import { argument, check, type Container, type Directory, func, object, type Secret, type Service } from "@dagger.io/dagger"

@object()
export class Shop {
  hidden: string
  @func()
  shown: string

  constructor(@argument({ defaultPath: "/" }) source: Directory, path: string = ".", npmrc?: Secret) {}

  @func()
  testDb(seed: boolean = false): Service {}

  @func({ cache: "never" })
  async deploy(databaseUrl: Secret, database?: Service): Promise<string> {}

  @func()
  async report(): Promise<Directory> {}

  @func()
  @check()
  async history(): Promise<void> {}

  notCallable(): void {}
}
`
const core = `
export type ServiceUpOpts = { ports?: string[]; random?: boolean }
export declare class Service { up: (opts?: ServiceUpOpts) => Promise<void> }
export declare class Directory { export: (path: string) => Promise<string>; file: (path: string) => File }
`
const types = readModule([source])
const main = types.get("Shop")
if (!main) throw new Error("the class with @object() is found")
const known = { name: "shop", main, types: new Map([...readCore(core), ...types]) }

describe("a module's source", () => {
  test("its functions are the methods and fields with @func(), in the command line's spelling", () => {
    expect([...main.functions.keys()]).toEqual(["shown", "test-db", "deploy", "report", "history"])
  })

  test("an argument is required where it has neither a default nor a question mark", () => {
    expect(main.functions.get("deploy")?.arguments).toEqual([
      { flag: "--database-url", required: true, isSwitch: false },
      { flag: "--database", required: false, isSwitch: false },
    ])
    expect(main.constructor_.arguments.map(({ required }) => required)).toEqual([false, false, false])
  })

  test.each([
    ["databaseUrl", "database-url"],
    ["testDb", "test-db"],
    ["sbom", "sbom"],
    ["nodeImage", "node-image"],
  ])("%s is written %s", (name, written) => {
    expect(kebab(name)).toBe(written)
  })
})

describe("a command line", () => {
  test.each([
    "dagger call deploy --database-url env://DATABASE_URL",
    "dagger call --progress=plain shop deploy --database-url=env://DATABASE_URL --database tcp://localhost:5432",
    "dagger --progress plain call --path packages/db report -o reports",
    "dagger call -m github.com/owner/shop@v1 --source=. report export --path reports",
    "dagger call test-db --seed up --ports 5432:5432 && echo up",
    "dagger check",
    "dagger check -l",
    "dagger check history shop:history",
    "dagger call shop ...",
    "dagger functions",
    'dagger toolchain install "$SHOP"',
  ])("is fine: %s", (line) => {
    expect(problemsOf(line, known)).toEqual([])
  })

  test.each([
    ["dagger call verify", "there is no function verify"],
    ["dagger call notCallable", "there is no function notCallable"],
    ["dagger call deploy", "--database-url is missing"],
    ["dagger call deploy --databaseUrl env://DATABASE_URL", "there is no --databaseUrl here"],
    ["dagger call test-db --database-url env://X", "there is no --database-url here"],
    ["dagger call report export", "--path is missing"],
    ["dagger call report up", "there is no function up"],
    ["dagger call --source=. report", "--source is for calls with -m only"],
    ["dagger call -m github.com/owner/shop report", "with -m the project has to be named: --source=."],
    ["dagger check deploy", "there is no check deploy"],
    ["dagger ship", "dagger has no command ship"],
  ])("is wrong: %s", (line, problem) => {
    expect(problemsOf(line, known)).toContain(problem)
  })

  test("ends where the shell's next command begins; quotes hold words together", () => {
    expect(wordsOf(`dagger call x --a "b c" --d='e|f' | tail -1`)).toEqual([
      "dagger",
      "call",
      "x",
      "--a",
      "b c",
      "--d=e|f",
    ])
  })
})

describe("a file's command lines", () => {
  test("Markdown: fences and code spans, not the prose", () => {
    const text =
      "Use dagger call nothing.\n\n```bash\nX=1 dagger call a \\\n  --b\n# dagger call no\n```\nor `dagger check`.\n"
    expect(daggerLines("README.md", text)).toEqual(["dagger call a    --b", "dagger check"])
  })

  test("Markdown: of a fence that is no script, what is typed after a prompt", () => {
    const text =
      "```\n make   dagger call   container\n```\n\n```yaml\na: 1\n```\nA `dagger check`.\n\n```\n$ dagger call x\nok\n```\n"
    expect(daggerLines("README.md", text)).toEqual(["dagger call x", "dagger check"])
  })

  test("YAML: every text, line by line", () => {
    const text = "a:\n  - run: dagger check\n  - run: |\n      make\n      dagger call x\n# dagger call no\n"
    expect(daggerLines("ci.yml", text)).toEqual(["dagger check", "dagger call x"])
  })

  test("Jenkinsfile: the shell steps", () => {
    expect(daggerLines("Jenkinsfile", "// dagger call no\nsh 'dagger check'\n")).toEqual(["dagger check"])
  })
})
