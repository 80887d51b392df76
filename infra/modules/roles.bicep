// Who may do what, and no more. The role ids are Azure's built-in ones.
param storageAccountName string
param keyVaultName string
param applicationInsightsName string
@description('The app: its data, its secrets, its telemetry.')
param appPrincipalId string
@description('Whoever deploys: writes the secrets. Empty: nobody.')
param deployerPrincipalId string
param deployerPrincipalType string
@description('Operators: the portal\'s Storage browser is closed to them without these roles, owner of the subscription or not.')
param operatorPrincipalIds string[]

var roleIds = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6'
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb'
  Reader: 'acdd72a7-3385-48ef-bd42-f606fba81ae7'
}
// Blob: the host's locks and the package. Queue and Table: the triggers and our own clients.
var appStorageRoles = [
  'Storage Blob Data Owner'
  'Storage Queue Data Contributor'
  'Storage Table Data Contributor'
]

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageAccountName
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: keyVaultName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource appOnStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in appStorageRoles: {
    scope: storage
    name: guid(storage.id, appPrincipalId, role)
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[role])
    }
  }
]

resource appOnVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, appPrincipalId, 'Key Vault Secrets User')
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Key Vault Secrets User'])
  }
}

resource appOnTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: applicationInsights
  name: guid(applicationInsights.id, appPrincipalId, 'Monitoring Metrics Publisher')
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Monitoring Metrics Publisher'])
  }
}

resource deployerOnVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  scope: vault
  name: guid(vault.id, deployerPrincipalId, 'Key Vault Secrets Officer')
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Key Vault Secrets Officer'])
  }
}

var operatorStorageRoles = flatten(map(operatorPrincipalIds, operator => [
  { operator: operator, role: 'Storage Table Data Contributor' }
  { operator: operator, role: 'Storage Queue Data Contributor' }
]))

// Without a principalType: an operator may be a person or a group.
resource operatorsOnStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in operatorStorageRoles: {
    scope: storage
    name: guid(storage.id, each.operator, each.role)
    properties: {
      principalId: each.operator
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[each.role])
    }
  }
]

// To find the resources and read the logs.
resource operatorsOnGroup 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for operator in operatorPrincipalIds: {
    name: guid(resourceGroup().id, operator, 'Reader')
    properties: {
      principalId: operator
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.Reader)
    }
  }
]
