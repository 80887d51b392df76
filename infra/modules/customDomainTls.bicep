// The second half of customDomain.bicep: a module of its own, since one template cannot write the same binding twice.
param functionAppName string
param domain string
param thumbprint string

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: functionAppName
}

resource binding 'Microsoft.Web/sites/hostNameBindings@2024-04-01' = {
  parent: app
  name: domain
  properties: {
    siteName: functionAppName
    hostNameType: 'Verified'
    sslState: 'SniEnabled'
    thumbprint: thumbprint
  }
}
