import { processOutput } from "../../src/report/output.js"

const output = processOutput(false)
output.say("first")
output.say("second")
output.data("the answer")
output.say("afterwards")
