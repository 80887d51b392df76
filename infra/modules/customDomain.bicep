// A managed certificate for a host name of your own, and the binding that uses it. The app must have the host name already
// (docs/operations.md, "Own domain"): a certificate is only issued for such a name, and a binding without TLS that the template
// wrote first would switch TLS off for a moment at every deployment. On Flex Consumption certificates belong to the app.
param functionAppName string
param domain string
param location string = resourceGroup().location
param tags object

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName
}

resource certificate 'Microsoft.Web/sites/certificates@2024-11-01' = {
  parent: app
  name: replace(domain, '.', '-')
  location: location
  tags: tags
  properties: {
    canonicalName: domain
  }
}

resource binding 'Microsoft.Web/sites/hostNameBindings@2024-11-01' = {
  parent: app
  name: domain
  properties: {
    siteName: functionAppName
    hostNameType: 'Verified'
    sslState: 'SniEnabled'
    thumbprint: certificate.properties.thumbprint
  }
}
