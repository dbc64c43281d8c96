import { processOutput } from "../../src/cli/output.js"

const output = processOutput(false, new AbortController().signal)
output.say("first")
output.say("second")
output.data("the answer")
output.say("afterwards")
