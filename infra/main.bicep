// Everything that `azd up` makes, in one resource group: storage, Key Vault, monitoring, one identity, the function app, alerts.
// No account key and no secret is in here: identities do the rest, and infra/hooks/ensureSecrets.mjs makes the signing secret.
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

@description('Keeps a deleted Key Vault for 90 days, whoever wants it gone. Off only for environments that come and go.')
param keyVaultPurgeProtection bool = true

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

@allowed([300, 600, 900])
@description('Seconds between availability tests, from each of five places: the largest fixed cost (docs/operations.md, "Cost").')
param healthTestSeconds int = 300

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

@description('The other settings, by their names; an empty one has the app\'s default. README.md explains each.')
param settings AppSettings

@description('Names as in shared/config.ts. test/infra/settings.test.ts compares the two.')
type AppSettings = {
  SITE_ID: string
  SITE_PROTOCOL: string
  SITE_LOCALE: string
  RESET_URL: string
  LOGIN_URL: string
  CONTACT_EMAIL: string
  @description('Empty: DEFAULT_FROM_EMAIL.')
  SERVER_EMAIL: string
  ADMINS: string
  @description('sendgrid, smtp, or both in the order of trying.')
  EMAIL_BACKEND: string
  EMAIL_HOST: string
  EMAIL_PORT: string
  EMAIL_HOST_USER: string
  EMAIL_USE_TLS: string
  EMAIL_USE_SSL: string
  EMAIL_TIMEOUT: string
  SENDGRID_API_URL: string
  SENDGRID_WEBHOOK_PUBLIC_KEY: string
  RESET_KEY_TTL_MINUTES: string
  PASSWORD_MIN_LENGTH: string
  PASSWORD_HASHER: string
  PWNED_PASSWORDS: string
  PWNED_PASSWORDS_URL: string
  LIMIT_PER_ADDRESS: string
  LIMIT_PER_IP: string
  TRUSTED_PROXY_HOPS: string
  ALLOWED_ORIGINS: string
  LINKS_ENDPOINT: string
  MAIL_EXTRA_LINES: string
}

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var operators = empty(operatorPrincipalIds) ? [] : split(replace(operatorPrincipalIds, ' ', ''), ',')
var alertAddresses = empty(alertEmails) ? [] : split(replace(alertEmails, ' ', ''), ',')

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
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    location: location
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
    location: location
    tags: tags
    retentionDays: logRetentionDays
  }
}

module keyVault 'modules/keyVault.bicep' = {
  name: 'keyVault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    purgeProtection: keyVaultPurgeProtection
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
    location: location
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
    planId: functionApp.outputs.planId
    domain: customDomain
    location: location
    tags: tags
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    healthUrl: '${functionApp.outputs.url}/api/health'
    healthTestSeconds: healthTestSeconds
    emails: alertAddresses
  }
}

// azd keeps these in its environment; the hook and docs/operations.md use them.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = functionApp.outputs.name
output AZURE_FUNCTION_APP_URL string = functionApp.outputs.url
output AZURE_STORAGE_ACCOUNT_NAME string = storage.outputs.name
output AZURE_KEY_VAULT_NAME string = keyVault.outputs.name
output AZURE_LOG_ANALYTICS_WORKSPACE_ID string = monitoring.outputs.workspaceCustomerId
