// Log Analytics, Application Insights on it, and a workbook of the queries in docs/kql. The app has no diagnosticSettings on purpose:
// the HTTP access log (AppServiceHTTPLogs) would hold the path of every link that is opened, and so reset keys.
param workspaceName string
param applicationInsightsName string
param location string = resourceGroup().location
param tags object
param retentionDays int

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    features: {
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableIpMasking: false
  }
}

var tiles = [
  {
    title: 'From request to redemption, last 7 days'
    visualization: 'barchart'
    query: loadTextContent('../../docs/kql/funnel.kql')
  }
  {
    title: 'Mails retried, suppressed or failed, by reason'
    visualization: 'table'
    query: loadTextContent('../../docs/kql/failures.kql')
  }
  {
    title: 'Seconds from request to sending'
    visualization: 'timechart'
    query: loadTextContent('../../docs/kql/queueAge.kql')
  }
  {
    title: 'Calls: number, errors, milliseconds'
    visualization: 'table'
    query: loadTextContent('../../docs/kql/latency.kql')
  }
  {
    title: 'Refused keys and passwords'
    visualization: 'timechart'
    query: loadTextContent('../../docs/kql/refusals.kql')
  }
  {
    title: 'What SendGrid reported'
    visualization: 'timechart'
    query: loadTextContent('../../docs/kql/bounces.kql')
  }
]

resource workbook 'Microsoft.Insights/workbooks@2022-04-01' = {
  name: guid(resourceGroup().id, 'password-reset')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Password reset'
    category: 'workbook'
    sourceId: applicationInsights.id
    version: '1.0'
    serializedData: string({
      version: 'Notebook/1.0'
      fallbackResourceIds: [workspace.id]
      items: map(tiles, tile => {
        type: 3
        name: tile.title
        content: {
          version: 'KqlItem/1.0'
          query: tile.query
          size: 0
          title: tile.title
          queryType: 0
          resourceType: 'microsoft.operationalinsights/workspaces'
          crossComponentResources: [workspace.id]
          visualization: tile.visualization
        }
      })
    })
  }
}

output workspaceId string = workspace.id
output workspaceCustomerId string = workspace.properties.customerId
output applicationInsightsId string = applicationInsights.id
output applicationInsightsName string = applicationInsights.name
output applicationInsightsConnectionString string = applicationInsights.properties.ConnectionString
