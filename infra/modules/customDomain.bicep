// An own host name with a certificate that Azure manages. The name is bound first without TLS, since the certificate is made for
// a bound name; then customDomainTls.bicep binds the two. Needs the CNAME record and the TXT record `asuid.…` beforehand.
param functionAppName string
param planId string
param domain string
param location string
param tags object

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: functionAppName
}

resource binding 'Microsoft.Web/sites/hostNameBindings@2024-04-01' = {
  parent: app
  name: domain
  properties: {
    siteName: functionAppName
    hostNameType: 'Verified'
    sslState: 'Disabled'
  }
}

resource certificate 'Microsoft.Web/certificates@2024-04-01' = {
  name: 'cert-${replace(domain, '.', '-')}'
  location: location
  tags: tags
  properties: {
    serverFarmId: planId
    canonicalName: domain
  }
  dependsOn: [binding]
}

module tls 'customDomainTls.bicep' = {
  name: 'customDomainTls'
  params: {
    functionAppName: functionAppName
    domain: domain
    thumbprint: certificate.properties.thumbprint
  }
}
