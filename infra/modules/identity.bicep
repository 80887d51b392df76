// The app's identity: user-assigned, so that it has its roles before the app starts, and keeps them when the app is made anew.
param name string
param location string = resourceGroup().location
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

output id string = identity.id
output principalId string = identity.properties.principalId
output clientId string = identity.properties.clientId
