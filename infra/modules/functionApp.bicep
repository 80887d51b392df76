// The function app on Flex Consumption and all of its settings. Secrets are references into the Key Vault.
// FUNCTIONS_WORKER_RUNTIME and FUNCTIONS_EXTENSION_VERSION are not allowed on Flex; `functionAppConfig.runtime` replaces them.
param name string
param planName string
param location string = resourceGroup().location
param tags object
param nodeVersion string
param alwaysReadyInstances int
param maximumInstanceCount int
param identityId string
param identityClientId string
param storageAccountName string
param packageContainerUrl string
param keyVaultUri string
param applicationInsightsConnectionString string
param siteDomain string
param siteName string
param defaultFromEmail string
@description('The other settings by name, from main.bicepparam.')
param settings object

var backends = empty(settings.EMAIL_BACKEND) ? 'sendgrid' : settings.EMAIL_BACKEND
var overSmtpWithLogin = contains(backends, 'smtp') && !empty(settings.EMAIL_HOST_USER)
var accountsOverHttp = settings.ACCOUNT_DIRECTORY == 'http'
// With the HTTP directory the site's events are signed with its secrets.
var eventsWithOwnSecrets = !empty(settings.SITE_EVENTS_URL) && !accountsOverHttp

var secretUri = '@Microsoft.KeyVault(SecretUri=${keyVaultUri}secrets/'
// The app would see a reference to a missing secret as the reference's own text, so only those in use are written.
var secretReferences = {
  RESET_SIGNING_SECRETS: '${secretUri}RESET-SIGNING-SECRETS)'
  MAIL_SEALING_SECRETS: '${secretUri}MAIL-SEALING-SECRETS)'
  SENDGRID_API_KEY: contains(backends, 'sendgrid') ? '${secretUri}SENDGRID-API-KEY)' : ''
  EMAIL_HOST_PASSWORD: overSmtpWithLogin ? '${secretUri}EMAIL-HOST-PASSWORD)' : ''
  ACCOUNT_DIRECTORY_SECRETS: accountsOverHttp ? '${secretUri}ACCOUNT-DIRECTORY-SECRETS)' : ''
  SITE_EVENTS_SECRETS: eventsWithOwnSecrets ? '${secretUri}SITE-EVENTS-SECRETS)' : ''
}

var siteSettings = {
  CODALAB_SITE_DOMAIN: siteDomain
  CODALAB_SITE_NAME: siteName
  DEFAULT_FROM_EMAIL: defaultFromEmail
  SERVER_EMAIL: empty(settings.SERVER_EMAIL) ? defaultFromEmail : settings.SERVER_EMAIL
  EMAIL_BACKEND: backends
}

// Storage by identity, for the bindings and for the app's own clients; the service URIs follow from the account's name.
var platformSettings = {
  AzureWebJobsStorage__accountName: storageAccountName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // Above this the host answers an empty 500; up to it the app answers 413 itself. It bounds the memory of concurrent requests.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '4194304'
  // Otherwise `/` answers with Microsoft's 150 KB start page.
  AzureWebJobsDisableHomepage: 'true'
  // The host's Information lines hold request paths ("Executing HTTP request"), and so reset keys. The app logs as `Function.*`.
  AzureFunctionsJobHost__logging__logLevel__default: 'Warning'
  AzureFunctionsJobHost__logging__logLevel__Function: 'Information'
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // Certificates of the app's own, for customDomain.bicep. It can only be set when the app is created; the types lack it.
    #disable-next-line BCP037
    siteScopedCertificatesEnabled: true
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: nodeVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances == 0 ? [] : [{ name: 'http', instanceCount: alwaysReadyInstances }]
        triggers: {
          http: {
            // A redemption needs 19 MiB and 30 ms of a core for its hash: more of them at once would only wait.
            perInstanceConcurrency: 16
          }
        }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      // No `cors`: the app has its own (ALLOWED_ORIGINS), and the platform would answer before it.
    }
  }
}

// No publishing by user name and password: deployments use the deployer's identity.
resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noBasicAuth 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, siteSettings, platformSettings, secretReferences)
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
