import { describe, expect, test } from "vitest"
import { defaultText, flagsOf, helpOf, type OptionTable, variableOf } from "../../src/cli/options.js"
import { parseSettings } from "../../src/cli/settings.js"

const options = {
  lockWait: { type: "duration", default: 300_000, description: "how long to wait" },
  retries: { type: "count", default: 10, description: "how often" },
  strict: { type: "boolean", description: "refuse" },
  name: { type: "text", value: "words", short: "n", description: "a name" },
  what: { type: "choice", value: "what", choices: ["history", "schema"], default: "history", description: "which" },
  only: { type: "choice", value: "part", choices: ["types", "models"], description: "one part" },
  failOn: { type: "list", value: "what", choices: ["scans", "writes"], description: "several" },
  keep: { type: "list", value: "packages", description: "packages" },
  yes: { type: "boolean", short: "y", description: "consent", source: "command line" },
} as const satisfies OptionTable

const parse = (flags = {}, env = {}, section = {}) => parseSettings(options, { flags, env, section })
const problems = (...input: Parameters<typeof parse>) => {
  try {
    parse(...input)
  } catch (error) {
    return error
  }
  throw new Error("nothing was refused")
}

test("without any source there are the defaults", () => {
  expect(parse()).toEqual({
    ...{ lockWait: 300_000, retries: 10, strict: false, name: undefined, what: "history", only: undefined },
    ...{ failOn: [], keep: [], yes: false },
  })
})

test("the command line wins over the environment, that over package.json", () => {
  const env = { LOCKSTEP_LOCK_WAIT: "2s", LOCKSTEP_RETRIES: "2" }
  const section = { lockWait: "3s", retries: 3, name: "three" }
  expect(parse({ lockWait: "1s" }, env, section)).toMatchObject({ lockWait: 1000, retries: 2, name: "three" })
})

test("an empty variable is one that is not set", () => {
  expect(parse({}, { LOCKSTEP_RETRIES: "", LOCKSTEP_NAME: "" }, { retries: 3 })).toMatchObject({ retries: 3 })
})

test("a variable is called after its option", () => {
  expect(["lockWait", "config", "allowEmpty"].map(variableOf)).toEqual([
    "LOCKSTEP_LOCK_WAIT",
    "LOCKSTEP_CONFIG",
    "LOCKSTEP_ALLOW_EMPTY",
  ])
})

describe("the help of an option", () => {
  test.each<[keyof typeof options, string, string]>([
    ["lockWait", "--lock-wait <time>", "how long to wait (default: 5m; env: LOCKSTEP_LOCK_WAIT)"],
    ["retries", "--retries <n>", "how often (default: 10; env: LOCKSTEP_RETRIES)"],
    ["strict", "--strict", "refuse (env: LOCKSTEP_STRICT)"],
    ["name", "-n, --name <words>", "a name (env: LOCKSTEP_NAME)"],
    ["what", "--what <what>", "which (choices: history, schema; default: history; env: LOCKSTEP_WHAT)"],
    ["yes", "-y, --yes", "consent"],
  ])("%s", (key, flags, help) => {
    expect(flagsOf(key, options[key])).toBe(flags)
    expect(helpOf(key, options[key])).toBe(help)
  })

  test.each([
    [0, "0s"],
    [250, "250ms"],
    [1500, "1500ms"],
    [30_000, "30s"],
    [90_000, "90s"],
    [300_000, "5m"],
  ])("writes a default of %d ms as %s, which is read back as the same", (ms, text) => {
    expect(defaultText({ type: "duration", default: ms, description: "" })).toBe(text)
    expect(parse({ lockWait: text }).lockWait).toBe(ms)
  })
})

describe("values", () => {
  test("a choice and a list hold what is offered", () => {
    expect(parse({ what: "schema", failOn: " writes,scans," }, { LOCKSTEP_KEEP: "a, b" })).toMatchObject({
      ...{ what: "schema", failOn: ["writes", "scans"], keep: ["a", "b"] },
    })
    expect(problems({ what: "all" })).toMatchObject({ message: "wrong setting: --what is not one of history, schema" })
    expect(problems({ failOn: "scans,reads" })).toMatchObject({
      message: "wrong setting: --fail-on may only hold scans, writes",
    })
  })

  test.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
    ["0", 0],
    ["7", 7000],
    [7, 7000],
  ])("the time %s is %d ms", (lockWait, expected) => {
    expect(parse({}, {}, { lockWait }).lockWait).toBe(expected)
  })

  test.each(["1", "true", "yes", "on", true])("%s is yes", (strict) => {
    expect(parse({}, {}, { strict }).strict).toBe(true)
  })

  test.each(["0", "false", "no", "off", false])("%s is no", (strict) => {
    expect(parse({}, {}, { strict }).strict).toBe(false)
  })
})

describe("what is wrong", () => {
  test("is named with where it was said, all of it at once", () => {
    const flags = { lockWait: "soon", name: "" }
    const env = { LOCKSTEP_RETRIES: "-1", LOCKSTEP_STRICT: "perhaps" }
    expect(problems(flags, env)).toMatchObject({
      code: "L1302",
      message: "wrong settings",
      details: {
        hint: [
          "--lock-wait is not a time such as 500ms, 30s or 5m",
          "LOCKSTEP_RETRIES is not a whole number, 0 or more",
          "LOCKSTEP_STRICT is neither true nor false (1, yes, on, 0, no, off)",
          "--name is empty",
        ].join("\n"),
      },
    })
  })

  test("alone is the message", () => {
    expect(problems({}, {}, { retries: 1.5 })).toMatchObject({
      message: "wrong setting: lockstep.retries in package.json is not a whole number, 0 or more",
    })
    expect(problems({}, {}, { retries: [] })).toMatchObject({ code: "L1302" })
  })

  test("may be the spelling of a key", () => {
    expect(problems({}, {}, { "lock-wait": "1s" })).toMatchObject({
      message: "wrong setting: lockstep.lock-wait in package.json must be spelled lockWait",
    })
  })

  test("is consent from anywhere but the command line", () => {
    expect(parse({ yes: true }).yes).toBe(true)
    expect(problems({}, { LOCKSTEP_YES: "1" })).toMatchObject({
      message: "wrong setting: LOCKSTEP_YES has no effect: --yes is for the command line alone",
    })
    expect(problems({}, {}, { yes: true })).toMatchObject({ code: "L1302" })
  })
})

test("keys of other commands are left to them", () => {
  expect(parse({}, {}, { connectTimeout: "x" })).toMatchObject({ retries: 10 })
})
