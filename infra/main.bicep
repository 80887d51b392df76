// Everything that `azd up` makes, in one resource group: storage, Key Vault, monitoring, one identity, the function app, alerts.
// There is no account key and no secret in here: access is by identity, and infra/hooks/ensureSecrets.mjs makes the secrets.
targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the azd environment; it names the resource group and tags every resource.')
param environmentName string

@minLength(1)
@description('Region of all resources; it must offer Flex Consumption.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Object id of whoever deploys: may write secrets into the Key Vault. azd fills it in.')
param principalId string = ''

@allowed(['User', 'ServicePrincipal'])
@description('What principalId is: User, or ServicePrincipal in a pipeline.')
param principalType string = 'User'

@description('Object ids of operators or their groups, separated by commas: they may read and edit tables and queues in the portal.')
param operatorPrincipalIds string = ''

@allowed(['24', '22'])
@description('Node.js version of the function app.')
param nodeVersion string = '24'

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('Redundancy of the storage account, which holds the accounts. ZRS needs a region with availability zones.')
param storageSku string = 'Standard_ZRS'

@description('Forbids deleting the storage account by accident; `azd down` then fails until the lock is removed.')
param lockStorage bool = false

@description('Keeps a deleted Key Vault for 90 days, even from its owners. Turn it off only for short-lived environments.')
param keyVaultPurgeProtection bool = true

@description('Recovers the Key Vault that an earlier `azd down` deleted, with its secrets. Turn it off again after one deployment.')
param recoverKeyVault bool = false

@minValue(0)
@maxValue(20)
@description('HTTP instances that are always warm. 0: the first request after a quiet while waits for a cold start.')
param alwaysReadyInstances int = 0

@minValue(1)
@maxValue(1000)
@description('Upper bound of instances, and so of cost and of parallel mails.')
param maximumInstanceCount int = 40

@description('Own host name of the function app, such as account.example.org; its CNAME and TXT records must exist. Empty: none.')
param customDomain string = ''

@description('Addresses that alerts are sent to, separated by commas. Empty: alerts show in the portal only.')
param alertEmails string = ''

@minValue(0)
@maxValue(30)
@description('Minutes between evaluations of the two log alerts, which look back 30 minutes: 5, 10, 15 or 30. 0: no alerts. docs/operations.md, "Cost".')
param alertMinutes int = 15

@minValue(0)
@maxValue(900)
@description('Seconds between availability tests of api/health from each of five places: 300, 600 or 900. 0: none. docs/operations.md, "Cost".')
param healthTestSeconds int = 0

@minValue(30)
@maxValue(730)
@description('Days that logs are kept.')
param logRetentionDays int = 30

@minLength(1)
@description('CODALAB_SITE_DOMAIN: host of the site, as in the links.')
param siteDomain string

@minLength(1)
@description('CODALAB_SITE_NAME: name of the site, as in the subject.')
param siteName string

@minLength(1)
@description('DEFAULT_FROM_EMAIL: sender of the mails.')
param defaultFromEmail string

@description('The other app settings by name, from main.bicepparam. An empty one counts as not set.')
param settings object

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
// A role assignment or a receiver that is listed twice would fail the deployment.
var operators = reduce(
  filter(split(toLower(replace(operatorPrincipalIds, ' ', '')), ','), id => !empty(id)),
  [],
  (ids, id) => contains(ids, id) ? ids : concat(ids, [id])
)
var alertAddresses = reduce(
  filter(split(replace(alertEmails, ' ', ''), ','), address => !empty(address)),
  [],
  (addresses, address) => contains(addresses, address) ? addresses : concat(addresses, [address])
)

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${token}'
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    tags: tags
    sku: storageSku
    lock: lockStorage
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${token}'
    applicationInsightsName: 'appi-${token}'
    tags: tags
    retentionDays: logRetentionDays
  }
}

module keyVault 'modules/keyVault.bicep' = {
  name: 'keyVault'
  scope: group
  params: {
    name: 'kv-${token}'
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    purgeProtection: keyVaultPurgeProtection
    recover: recoverKeyVault
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    storageAccountName: storage.outputs.name
    keyVaultName: keyVault.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    appPrincipalId: identity.outputs.principalId
    deployerPrincipalId: principalId
    deployerPrincipalType: principalType
    operatorPrincipalIds: operators
  }
}

module functionApp 'modules/functionApp.bicep' = {
  name: 'functionApp'
  scope: group
  // The app must not start before it may read its storage and its secrets.
  dependsOn: [roles]
  params: {
    name: 'func-reset-${token}'
    planName: 'plan-${token}'
    tags: tags
    nodeVersion: nodeVersion
    alwaysReadyInstances: alwaysReadyInstances
    maximumInstanceCount: maximumInstanceCount
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageAccountName: storage.outputs.name
    packageContainerUrl: storage.outputs.packageContainerUrl
    keyVaultUri: keyVault.outputs.uri
    applicationInsightsConnectionString: monitoring.outputs.applicationInsightsConnectionString
    siteDomain: siteDomain
    siteName: siteName
    defaultFromEmail: defaultFromEmail
    settings: settings
  }
}

module domain 'modules/customDomain.bicep' = if (!empty(customDomain)) {
  name: 'customDomain'
  scope: group
  params: {
    functionAppName: functionApp.outputs.name
    domain: customDomain
    tags: tags
  }
}

module alerts 'modules/alerts.bicep' = if (alertMinutes > 0 || healthTestSeconds > 0) {
  name: 'alerts'
  scope: group
  params: {
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    healthUrl: '${functionApp.outputs.url}/api/health'
    alertMinutes: alertMinutes
    healthTestSeconds: healthTestSeconds
    emails: alertAddresses
  }
}

// azd keeps these in its environment, for the hook and the commands of docs/operations.md.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = functionApp.outputs.name
output AZURE_FUNCTION_APP_URL string = functionApp.outputs.url
output AZURE_STORAGE_ACCOUNT_NAME string = storage.outputs.name
output AZURE_KEY_VAULT_NAME string = keyVault.outputs.name
output AZURE_LOG_ANALYTICS_WORKSPACE_ID string = monitoring.outputs.workspaceCustomerId
