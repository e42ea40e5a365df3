// Reads requests as JSON from standard input; writes whether each is allowed.
import { readFileSync } from 'node:fs'
import { anonymousPrincipal, runSimulation } from '@cloud-copilot/iam-simulate'

const everything = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }]
}
const serviceControlPolicies = [
  { orgIdentifier: 'r-root', policies: [{ name: 'FullAWSAccess', policy: everything }] }
]

function level(policies, identifier) {
  return { orgIdentifier: identifier, policies: policies.map((policy, index) => ({ name: `${index}`, policy })) }
}

async function decide({
  principal, action, resource, account, identity, resourcePolicy, context,
  boundary, session, serviceControl, resourceControl, endpoint, restrictPublic
}) {
  const anonymous = principal === 'anonymous'
  const response = await runSimulation(
    {
      request: {
        principal: anonymous ? anonymousPrincipal : principal,
        action,
        resource: { resource, accountId: account },
        contextVariables: context ?? {}
      },
      identityPolicies: identity.map((policy, index) => ({ name: `identity-${index}`, policy })),
      permissionBoundaryPolicies: boundary ? [{ name: 'boundary', policy: boundary }] : undefined,
      sessionPolicy: session ?? undefined,
      serviceControlPolicies: anonymous ? [] : (serviceControl?.map(level) ?? serviceControlPolicies),
      resourceControlPolicies: resourceControl?.map(level) ?? [],
      resourcePolicy: resourcePolicy ?? undefined,
      vpcEndpointPolicies: endpoint ? [{ name: 'endpoint', policy: endpoint }] : undefined,
      additionalSettings: restrictPublic ? { s3: { blockPublicAccess: true } } : undefined
    },
    {}
  )
  if (response.resultType === 'error') {
    throw new Error(`${action} on ${resource}: ${JSON.stringify(response.errors)}`)
  }
  return response.overallResult === 'Allowed'
}

// The evaluator does not know these keys, those of access points not of the buckets behind them:
// tags' keys, which are compared alike, stand in for them.
const input = readFileSync(0, 'utf8')
  .replaceAll(/kms:EncryptionContext:aws:([a-z0-9]+):arn/gi, 'aws:RequestTag/encryption-context-$1')
  .replaceAll(/s3:(DataAccessPoint(?:Arn|Account))/gi, 'aws:RequestTag/$1')
  .replaceAll(
    /"([a-z0-9.-]+(?:\/[\w.~\/-]+)?):(aud|sub)":/gi,
    (_, issuer, claim) => `"aws:RequestTag/${issuer.replaceAll('/', '.')}-${claim}":`
  )
const requests = JSON.parse(input)
const decisions = []
for (const request of requests) decisions.push(await decide(request))
console.log(JSON.stringify(decisions))
