// The function app on Flex Consumption and every one of its settings. Secrets are references into the Key Vault.
// FUNCTIONS_WORKER_RUNTIME and FUNCTIONS_EXTENSION_VERSION are not allowed on Flex: `functionAppConfig.runtime` says it.
param name string
param planName string
param location string
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
@description('The other settings by name, see main.bicep.')
param settings object

var overSendgrid = contains(settings.EMAIL_BACKEND, 'sendgrid')
var overSmtp = contains(settings.EMAIL_BACKEND, 'smtp')

// A reference to a secret that does not exist would reach the app as its own text: so only what is used is referred to.
var secretReferences = {
  RESET_SIGNING_SECRETS: '@Microsoft.KeyVault(SecretUri=${keyVaultUri}secrets/RESET-SIGNING-SECRETS)'
  SENDGRID_API_KEY: overSendgrid ? '@Microsoft.KeyVault(SecretUri=${keyVaultUri}secrets/SENDGRID-API-KEY)' : ''
  EMAIL_HOST_PASSWORD: overSmtp ? '@Microsoft.KeyVault(SecretUri=${keyVaultUri}secrets/EMAIL-HOST-PASSWORD)' : ''
}

var siteSettings = {
  CODALAB_SITE_DOMAIN: siteDomain
  CODALAB_SITE_NAME: siteName
  DEFAULT_FROM_EMAIL: defaultFromEmail
  SERVER_EMAIL: empty(settings.SERVER_EMAIL) ? defaultFromEmail : settings.SERVER_EMAIL
}

// The storage by identity, for the bindings and our own clients alike; the service URIs follow from the account's name.
var platformSettings = {
  AzureWebJobsStorage__accountName: storageAccountName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // The webhook's batches are the largest bodies: 1 MiB. Our own calls are bounded at 16 KiB by the app.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1048576'
  // The host's own lines at Information level hold request paths ("Executing HTTP request"), and so reset keys. Ours are `Function.*`.
  AzureFunctionsJobHost__logging__logLevel__default: 'Warning'
  AzureFunctionsJobHost__logging__logLevel__Function: 'Information'
}

var warmInstances = [
  {
    name: 'http'
    instanceCount: alwaysReadyInstances
  }
]
var alwaysReady = alwaysReadyInstances == 0 ? [] : warmInstances

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
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

resource app 'Microsoft.Web/sites@2024-04-01' = {
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
        alwaysReady: alwaysReady
        triggers: {
          http: {
            // A redemption hashes with 19 MiB and one core for about 30 ms: more at once would only wait.
            perInstanceConcurrency: 16
          }
        }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      // No `cors`: CORS is the app's own (ALLOWED_ORIGINS), with its own tests; the platform's would answer before it.
    }
  }
}

// Publishing with a user name and a password is off: deployments use the deployer's identity.
resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noBasicAuth 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, siteSettings, platformSettings, secretReferences)
}

output name string = app.name
output planId string = plan.id
output url string = 'https://${app.properties.defaultHostName}'
