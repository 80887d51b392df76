// Two log alerts on the app's events (docs/kql/alert*.kql) and, if wanted, an availability test. What each costs: docs/operations.md.
param location string = resourceGroup().location
param tags object
param workspaceId string
param applicationInsightsId string
param healthUrl string
@description('Minutes between evaluations. 0: no log alerts.')
param alertMinutes int
@description('Seconds between availability tests. 0: none.')
param healthTestSeconds int
@description('Addresses the alerts are sent to.')
param emails string[]

var rules = [
  {
    name: 'urgent'
    severity: 1
    query: loadTextContent('../../docs/kql/alertUrgent.kql')
  }
  {
    name: 'attention'
    severity: 2
    query: loadTextContent('../../docs/kql/alertAttention.kql')
  }
]

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-password-reset'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'pwreset'
    enabled: true
    emailReceivers: [
      for (email, index) in emails: {
        name: 'mail-${index}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = [
  for rule in (alertMinutes > 0 ? rules : []): {
    name: 'password-reset-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Password reset: ${rule.name}'
      description: 'The dimension "alert" names the problem: docs/operations.md, "Alerts".'
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT${alertMinutes}M'
      windowSize: 'PT30M'
      // The queries limit themselves to the last 30 minutes, but for what was known before.
      overrideQueryTimeRange: 'P2D'
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            // One alert for each kind of problem.
            dimensions: [
              {
                name: 'alert'
                operator: 'Include'
                values: ['*']
              }
            ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      // The first deployment comes before the first log line.
      skipQueryValidation: true
      actions: {
        actionGroups: [actionGroup.id]
      }
    }
  }
]

// Flex Consumption has no health check of the platform's.
resource availabilityTest 'Microsoft.Insights/webtests@2022-06-15' = if (healthTestSeconds > 0) {
  name: 'password-reset-health'
  location: location
  tags: union(tags, { 'hidden-link:${applicationInsightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'password-reset-health'
    Name: 'password-reset-health'
    Description: 'Settings, tables, queue and site row, as api/health sees them.'
    Enabled: true
    Frequency: healthTestSeconds
    Timeout: 30
    Kind: 'standard'
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'emea-gb-db3-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'us-ca-sjc-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: {
      RequestUrl: healthUrl
      HttpVerb: 'GET'
      ParseDependentRequests: false
      FollowRedirects: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
      ContentValidation: {
        ContentMatch: '"status":"ok"'
        IgnoreCase: false
        PassIfTextFound: true
      }
    }
  }
}

resource availabilityAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = if (healthTestSeconds > 0) {
  name: 'password-reset-unavailable'
  location: 'global'
  tags: union(tags, {
    'hidden-link:${applicationInsightsId}': 'Resource'
    'hidden-link:${availabilityTest.id}': 'Resource'
  })
  properties: {
    description: 'api/health fails from two places or more: docs/operations.md, "Answers of 503".'
    severity: 1
    enabled: true
    scopes: [
      availabilityTest.id
      applicationInsightsId
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: availabilityTest.id
      componentId: applicationInsightsId
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: [
      {
        actionGroupId: actionGroup.id
      }
    ]
  }
}
