import { describe, expect, test } from "vitest"
import { count, flag, text, time } from "../../src/cli/options.js"
import { parseSettings, variableOf } from "../../src/cli/settings.js"

const options = {
  lockWait: time("--lock-wait <time>", "how long to wait", "5m"),
  retries: count("--retries <n>", "how often", 10),
  strict: flag("--strict", "refuse"),
  name: text("-n, --name <words>", "a name"),
  yes: flag("-y, --yes", "consent", { flagOnly: true }),
}

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
  expect(parse()).toEqual({ lockWait: 300_000, retries: 10, strict: false, name: undefined, yes: false })
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

describe("values", () => {
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
      message: "wrong setting: lockstep.lock-wait in package.json is to be written lockWait",
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
